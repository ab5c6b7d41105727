"""Where one model's raw weights are another's training copy (EMA)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from atlas.names.components import EMA
from atlas.relations.contents import Contents


class Copies:
    """Tells where one model's raw weights of a component are another's training copy."""

    def __init__(self, contents: Contents) -> None:
        names = contents.tensors["name"]
        row = {name: at for at, name in enumerate(names)}
        inner = {name.partition("/")[2]: at for name, at in row.items() if name.startswith(EMA)}
        raw: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, (name, component) in enumerate(
            zip(names, contents.tensors["component"], strict=True)
        ):
            bare = name.partition("/")[2]
            if not name.startswith(EMA) and bare in inner:
                raw[component].append((at, inner[bare]))
        self._numbers: dict[bytes, int] = {}
        digest = contents.codes["digest"]
        self._raw: dict[str, list[int]] = {}
        self._copied: dict[str, list[int]] = {}
        for component, rows in raw.items():
            raws, copies = np.array(rows).T
            self._raw[component] = self._whole(contents.index[raws], digest)
            self._copied[component] = self._whole(contents.index[copies], digest)

    def _whole(self, held: npt.NDArray[np.int32], digest: npt.NDArray[np.int64]) -> list[int]:
        """Return a number per model, equal for equal weights; -1 where a tensor is missing."""
        return [
            self._numbers.setdefault(digest[own].tobytes(), len(self._numbers))
            if (own >= 0).all()
            else -1
            for own in held.T
        ]

    def sides(self, first: int, second: int, component: str) -> str:
        """Return the sides, a and b, whose raw weights are the other's copy."""
        raw, copied = self._raw.get(component), self._copied.get(component)
        if raw is None or copied is None:
            return ""
        is_a = raw[first] >= 0 and raw[first] == copied[second]
        is_b = raw[second] >= 0 and raw[second] == copied[first]
        return "a" * is_a + "b" * is_b
