"""What tensors of unknown layouts go by: names that other models have for the same weights."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atlas.basis import tables
from atlas.basis.errors import AtlasError


@dataclass(frozen=True)
class Adopted:
    """What a tensor goes by in the place of its own name."""

    name: str
    block: str
    role: str

    @property
    def component(self) -> str:
        """The component that the name begins with."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Renamings:
    """Names to go by, for every component of one set of names that has any."""

    tables: Mapping[str, Mapping[str, Adopted]] = field(default_factory=dict)

    def of(self, component: str, names: Collection[str]) -> Mapping[str, Adopted]:
        """Return what the tensors of a component go by, by their own names; {} for those."""
        return self.tables.get(signature_of(component, names), {}) if self.tables else {}

    def save(self, path: Path) -> None:
        """Write a JSON file that `read_renamings` reads."""
        rows = {
            signature: {own: [one.name, one.block, one.role] for own, one in names.items()}
            for signature, names in self.tables.items()
        }
        tables.write_text(json.dumps(rows, sort_keys=True, indent=0) + "\n", path)


def read_renamings(path: Path) -> Renamings:
    """
    Return the renamings of a file.

    Raises
    ------
    AtlasError
        Where it is none.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return Renamings(
            {
                signature: {own: Adopted(*named) for own, named in names.items()}
                for signature, names in rows.items()
            }
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise AtlasError(f"{path}: no renamings ({error}); delete it and run again") from error


def signature_of(component: str, names: Collection[str]) -> str:
    """Return a digest of a component and its set of names."""
    text = "\n".join([component, *sorted(names)])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
