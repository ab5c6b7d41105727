"""Parents by their hashes, as the web UIs' `sd_merge_models` names them."""

from collections.abc import Mapping
from typing import Any

from atlas.claims.claim import Parent
from atlas.claims.values import digest_of, table_of, text_of

SHA256 = 64
LEGACY = 8
MOST_MODELS = 100


class MergedModels:
    """The models of a merge, by hash; what is no model among them is passed over."""

    def __init__(self, text: Any) -> None:
        self.table: Mapping[str, Any] = table_of(text)

    def parent(self, told: Any) -> Parent | None:
        """Return the model of a hash, or of a name in the place of one; None for nothing."""
        sha256 = digest_of(told, SHA256, LEGACY, 10, 12)
        found = table_of(self.table.get(told)) if isinstance(told, str) else {}
        name = text_of(found.get("name")) or text_of(told)
        if not name:
            return None
        return Parent(
            name=name,
            sha256=sha256,
            legacy_hash=digest_of(found.get("legacy_hash"), LEGACY),
        )

    def all(self) -> tuple[Parent, ...]:
        """Return all models, in order of their hashes."""
        hashes = sorted(each for each in self.table if digest_of(each, SHA256))
        return tuple(
            parent for each in hashes[:MOST_MODELS] if (parent := self.parent(each)) is not None
        )
