"""Tensors that two models have under different names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.relations.contents import Contents, Status


class Renamed:
    """Tells of each name of one side alone whether the other side holds its content elsewhere."""

    def __init__(self, contents: Contents) -> None:
        self.index = contents.index
        self.adopted = contents.adopted
        self.digest = contents.codes["digest"]
        self._is_left = np.zeros(int(self.digest.max(initial=0)) + 1, dtype=bool)

    def after(
        self, first: int, status: npt.NDArray[np.int8]
    ) -> Iterator[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
        """
        Yield each later model that has names in common with the first by contents alone.

        With it comes of which names, and which names either goes by that are not its file's.

        Parameters
        ----------
        status
            Of the model against all later ones, shape (names, models).
        """
        may = (status == Status.ONLY_A).any(axis=0) & (status == Status.ONLY_B).any(axis=0)
        adopted = self.adopted[:, first : first + 1] != self.adopted[:, first + 1 :]
        for later in np.flatnonzero(may | adopted.any(axis=0)).tolist():
            own = status[:, later]
            found = adopted[:, later] & (own == Status.IDENTICAL)
            if may[later]:
                found |= self._elsewhere(first, first + 1 + later, own)
            if found.any() or adopted[:, later].any():
                yield first + 1 + later, found, adopted[:, later]

    def _elsewhere(
        self, first: int, second: int, status: npt.NDArray[np.int8]
    ) -> npt.NDArray[np.bool_]:
        """
        Return the names of one side alone whose content the other side holds elsewhere.

        The other side's name must be its alone too, and serves once: of three equal tensors that
        lost their names, two are found in a model that has two.
        """
        found = np.zeros(len(status), dtype=bool)
        only_a = np.flatnonzero(status == Status.ONLY_A)
        only_b = np.flatnonzero(status == Status.ONLY_B)
        left = self.digest[self.index[only_a, first]]
        right = self.digest[self.index[only_b, second]]
        self._is_left[left] = True
        shared = self._is_left[right].any()
        self._is_left[left] = False
        if shared:
            numbered = _numbered(left), _numbered(right)
            found[only_a] = np.isin(*numbered)
            found[only_b] = np.isin(*numbered[::-1])
        return found


def _numbered(digests: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return codes of digests, each with how often it came before: equal ones match one to one."""
    before = pd.Series(digests).groupby(digests).cumcount().to_numpy()
    return digests * (1 << 24) + before
