"""What the shards say of a tensor's contents, as squares of one content against another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.relations.contents import Contents


class Lookup:
    """Finds a group's contents in the shards, by their digests."""

    def __init__(self, contents: Contents) -> None:
        self._digest = contents.contents["digest"].to_numpy()

    def squares(
        self, held: NDArray[np.int32], rows: NameRows, measures: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """
        Lay out what was measured of a tensor: float64 (measures, K, K), NaN where nothing was.

        Parameters
        ----------
        held
            Contents of one tensor, shape (K,); below 0 none.
        rows
            The measured pairs of that tensor's contents.
        measures
            What to lay out of them, shape (measures, pairs of `rows`).
        """
        square = np.full((len(measures), len(held), len(held)), np.nan)
        place = {self._digest[content]: at for at, content in enumerate(held) if content >= 0}
        at = np.array([place.get(digest, -1) for digest in rows.digests], dtype=np.int64)
        i, j = at[rows.first], at[rows.second]
        known = (i >= 0) & (j >= 0)
        values = measures[:, known]
        square[:, i[known], j[known]] = values
        square[:, j[known], i[known]] = values
        return square


def unmeasured(name: str) -> AtlasError:
    """Return what to raise where a pair of contents should have been measured and was not."""
    return AtlasError(
        f"{name}: a pair of contents is in no shard below results/distances; "
        "run the target `distances` again"
    )
