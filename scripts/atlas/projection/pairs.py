"""Pairs of samples: their distances from differences in float64, where nothing cancels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.projection.rows import Rows, read, width

STRETCH = 4096
"""Features at a time, so that a batch of differences stays in the cache."""
BATCH = 1 << 17
"""Values of differences at a time: 1 MB in float64, and two such arrays."""


def squared_distances(
    rows: Rows, first: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]], size: int
) -> NDArray[np.float64]:
    """
    Return the squared Euclidean distances of pairs of samples.

    Parameters
    ----------
    rows
        All samples.
    first, second
        Shape (p,): places of the two samples of each pair. In memory there are two blocks of rows.
    size
        Samples of a block.

    Returns
    -------
        Shape (p,), of differences taken and added in float64. A pair has the same distance
        whichever of the two comes first, and so have pairs of equal differences.
    """
    found = np.zeros(len(first))
    if not len(first):
        return found
    low, high = np.minimum(first, second), np.maximum(first, second)
    count = -(-rows.shape[0] // size)
    cell = (low // size).astype(np.int64) * count + high // size
    order = np.argsort(cell, kind="stable")
    cells, starts = np.unique(cell[order], return_index=True)
    held, left = -1, np.empty((0, width(rows)), np.float32)
    for which, here in zip(cells, np.split(order, starts[1:]), strict=True):
        row, column = divmod(int(which), count)
        if row != held:
            held, left = row, read(rows, row * size, (row + 1) * size)
        right = left if column == row else read(rows, column * size, (column + 1) * size)
        found[here] = _of_blocks(left, right, low[here] - row * size, high[here] - column * size)
        del right
    return found


def _of_blocks(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    low: NDArray[np.integer[Any]],
    high: NDArray[np.integer[Any]],
) -> NDArray[np.float64]:
    """Return squared distances of rows of the left block from rows of the right one."""
    features = left.shape[1]
    found = np.zeros(len(low))
    batch = max(1, BATCH // min(features, STRETCH))
    for start in range(0, len(low), batch):
        pairs = slice(start, start + batch)
        for begin in range(0, features, STRETCH):
            stretch = slice(begin, begin + STRETCH)
            difference = left[low[pairs], stretch].astype(np.float64)
            difference -= right[high[pairs], stretch]
            found[pairs] += np.einsum("ij,ij->i", difference, difference)
    return found
