"""Neighbours: of each sample the k nearest others, exactly, in memory that a setting bounds."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.projection.candidates import DOUBLE_UNIT, Candidates, Frame, candidates
from atlas.projection.pairs import squared_distances
from atlas.projection.products import Products
from atlas.projection.rows import (
    READING_BYTES,
    Rows,
    block_size,
    blocks,
    read,
    require_finite,
    require_samples,
    width,
)

SPARE = 8
"""Candidates beyond k, so that few queries are asked a second time."""
PER_VALUE = {"float32": 16.0, "float64": 28.0}
"""Bytes for each value of a block, while two of them are in memory and one is being read."""
PER_PAIR = 48.0
"""Bytes for each pair of samples of two blocks: product, bound, order."""
PER_CANDIDATE = 80
"""Bytes for each candidate of each sample: bound, place, and the lists of pairs."""
LARGEST_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of n samples, the nearest others, the nearest first."""

    indices: NDArray[np.int32]
    """Shape (n, k): places of samples; of equally near ones the lower comes first."""
    distances: NDArray[np.float32]
    """Shape (n, k): Euclidean; exactly 0 for equal samples."""


@dataclass(frozen=True, eq=False)
class _Found:
    """Neighbours of some queries, and which of them are proved."""

    places: NDArray[np.int64]
    squared: NDArray[np.float64]
    is_proved: NDArray[np.bool_]


def nearest(
    rows: Rows, *, k: int, memory_bytes: int, device: str = "cpu", what: str = "rows"
) -> Neighbours:
    """
    Return the k nearest other samples of each, by Euclidean distance on the features as they are.

    Candidates are found by products in float32, with a bound on their error; their distances are
    then taken anew from differences in float64, and the k nearest of them are proved to be the k
    nearest of all if no other sample's bound lies as low. Queries for which that fails (clusters
    that are tiny beside their distance from one another) are asked again in float64, and where
    that fails too (many equal samples) all distances are taken from differences.

    Parameters
    ----------
    rows
        Shape (n, ...), float16 or float32.
    k
        At most n - 1 are returned; asking for more is logged.
    memory_bytes
        Bounds the blocks of rows and what is made of them, the result included.
    device
        "cpu", or a device of torch for the products, such as "cuda".
    what
        What the rows are, for messages.

    Raises
    ------
    AtlasError
        When k is below 1, a value is not finite, memory is too small, or there is no such device.
    """
    require_samples(rows, what)
    if k < 1:
        raise AtlasError(f"{what}: {k} neighbours asked for; ask for 1 or more")
    count = rows.shape[0]
    if k > count - 1:
        logging.warning("%s: %d samples have %d neighbours each, not %d", what, count, count - 1, k)
        k = count - 1
    products = Products(device)
    frame = _frame(rows, memory_bytes, what)
    if k == 0:
        return Neighbours(np.empty((count, 0), np.int32), np.empty((count, 0), np.float32))
    most = min(k + SPARE, count - 1)
    size = _size(rows, memory_bytes, most, "float32", what)
    kept = candidates(rows, frame, most=most, size=size, products=products)
    found = _ranked(rows, kept, k, size)
    places, squared = found.places, found.squared
    left = np.flatnonzero(~found.is_proved)
    if len(left):
        smaller = _size(rows, memory_bytes, most, "float64", what)
        kept = candidates(rows, frame, most=most, size=smaller, products=products, queries=left)
        found = _ranked(rows, kept, k, size)
        places[left], squared[left] = found.places, found.squared
        for sample, order, distances in _brute(rows, left[~found.is_proved], size, most):
            nearest_ones = order[order != sample][:k]
            places[sample], squared[sample] = nearest_ones, distances[nearest_ones]
    return Neighbours(places.astype(np.int32), np.sqrt(squared).astype(np.float32))


def _frame(rows: Rows, memory_bytes: int, what: str) -> Frame:
    """Return the mean sample, and the power of two that brings all values to 1/4 at most."""
    size = block_size(
        rows, memory_bytes, per_value=READING_BYTES, fixed=16 * width(rows), most=512, what=what
    )
    sums = np.zeros(width(rows))
    largest = 0.0
    for _, block in blocks(rows, size):
        require_finite(block, rows, size, what)
        largest = max(largest, float(block.max()), -float(block.min()))
        sums += block.sum(axis=0, dtype=np.float64)
    power = -2 - int(np.frexp(largest)[1]) if largest else 0
    # factors beyond float32's own range would turn to 0 or infinity
    return Frame((sums / rows.shape[0]).astype(np.float32), 2.0 ** float(np.clip(power, -126, 126)))


def _size(rows: Rows, memory_bytes: int, most: int, dtype: str, what: str) -> int:
    """Return the samples of a block, so that two of them and their products fit in memory."""
    fixed = rows.shape[0] * most * PER_CANDIDATE
    alone = block_size(
        rows,
        memory_bytes,
        per_value=PER_VALUE[dtype] + PER_PAIR / width(rows),
        fixed=fixed,
        most=LARGEST_BLOCK,
        what=what,
    )
    # the root of PER_PAIR b² + PER_VALUE d b = free
    each = PER_VALUE[dtype] * width(rows)
    free = memory_bytes - fixed
    fitting = (np.sqrt(each**2 + 4 * PER_PAIR * free) - each) / (2 * PER_PAIR)
    return max(1, min(alone, int(fitting)))


def _ranked(rows: Rows, kept: Candidates, k: int, size: int) -> _Found:
    """Return the nearest candidates by their true distances, and whether no other can be nearer."""
    first = np.repeat(kept.queries, kept.places.shape[1])
    second = kept.places.ravel()
    # a pair that is met from both sides is measured once
    keys = np.minimum(first, second) * rows.shape[0] + np.maximum(first, second)
    unique, back = np.unique(keys, return_inverse=True)
    measured = squared_distances(rows, *np.divmod(unique, rows.shape[0]), size)
    squared = measured[back].reshape(kept.places.shape)
    order = np.lexsort((kept.places, squared), axis=1)[:, :k]
    squared = np.take_along_axis(squared, order, axis=1)
    places = np.take_along_axis(kept.places, order, axis=1).astype(np.int64)
    slack = 1 + 4 * (width(rows) + 4) * DOUBLE_UNIT
    return _Found(places, squared, squared[:, -1] * slack < kept.limit)


def _brute(
    rows: Rows, queries: NDArray[np.int64], size: int, at_once: int
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
    """Yield each query with all samples in order of their distance, and the squared distances."""
    alike: dict[bytes, list[int]] = {}
    for sample in queries.tolist():
        # adding 0 makes -0 and 0 the same bytes
        row = read(rows, sample, sample + 1) + np.float32(0)
        alike.setdefault(hashlib.blake2b(row.tobytes()).digest(), []).append(sample)
    count = rows.shape[0]
    groups = list(alike.values())
    for start in range(0, len(groups), at_once):
        some = groups[start : start + at_once]
        leaders = np.array([members[0] for members in some])
        every = np.tile(np.arange(count), len(some))
        distances = squared_distances(rows, np.repeat(leaders, count), every, size)
        for members, of_leader in zip(some, distances.reshape(-1, count), strict=True):
            order = np.argsort(of_leader, kind="stable")
            for sample in members:
                yield sample, order, of_leader
