"""What a model holds, by the names that it goes by, and where on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from atlas.basis import sealed
from atlas.basis.errors import AtlasError, nearest
from atlas.distances.contents import collect, contents_of
from atlas.distances.plan import Content
from atlas.fingerprints.fingerprint import anchor
from atlas.fingerprints.renamings import Renamings

KEPT_IN_MEMORY = 12
"""Models whose tables are kept: a target and its parents, and those of the next target."""


@dataclass(frozen=True)
class Held:
    """One tensor of a model that can be compared."""

    name: str
    component: str
    block: str
    content: Content


class Holdings:
    """The tensors of the models of a group, read from their fingerprints when asked for."""

    def __init__(
        self,
        fingerprints: Mapping[str, Path],
        checkpoints: Mapping[str, Path],
        renamings: Renamings,
    ) -> None:
        """
        Take in where things lie.

        Parameters
        ----------
        fingerprints
            Model to its fingerprint.
        checkpoints
            Model to its checkpoint, as the roster has it: parts are named from its folder.
        renamings
            Names to go by.
        """
        self._fingerprints = fingerprints
        self._checkpoints = checkpoints
        self._renamings = renamings
        self._of = lru_cache(KEPT_IN_MEMORY)(self._read)

    def of(self, model: str) -> Mapping[str, Held]:
        """
        Return the finite floating tensors of a model by the name that they go by.

        Raises
        ------
        AtlasError
            When the group has no such model.
        DamagedFileError
            When its fingerprint is not as it was written.
        """
        if model not in self._fingerprints:
            raise AtlasError(
                f"{model}: no model of the group{nearest(model, self._fingerprints)};"
                " fit the recipes again"
            )
        return self._of(model)

    def _read(self, model: str) -> dict[str, Held]:
        path = self._fingerprints[model]
        table, _ = sealed.read(path, ["name", "component", "block"])
        components: dict[str, dict[str, str]] = {}
        for name, component, block in zip(
            *(table[each].to_pylist() for each in table.column_names), strict=True
        ):
            components.setdefault(component, {})[name] = block
        blocks: dict[str, tuple[str, str]] = {}
        for component, inside in components.items():
            adopted = self._renamings.of(component, inside)
            for name, block in inside.items():
                goes_by = adopted.get(name)
                if goes_by is None:
                    blocks[name] = component, block
                else:
                    blocks[goes_by.name] = goes_by.component, goes_by.block
        home = anchor(self._checkpoints[model])
        ((_, rows),) = collect({path: home}, count=1, renamings=self._renamings)
        return {
            name: Held(name, *blocks[name], next(iter(contents.values())))
            for name, contents in contents_of(rows).items()
        }
