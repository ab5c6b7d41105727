"""Trust: how far the neighbours on a map are neighbours among the rows that it was drawn of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.projection.moments import Standard, moments_of
from atlas.projection.rows import READING_BYTES, Chosen, Rows, block_size, width

MOST = 2000
"""Samples that are ranked against one another; of more, so many are drawn."""
PER_PAIR = 40
"""Bytes for each pair of them: distance, order and rank."""


@dataclass(frozen=True)
class Trust:
    """Trustworthiness of a map."""

    value: float
    """1 where all neighbours on the map are among the nearest of the rows; NaN if undefined."""
    chance: float
    """Its mean for maps that know nothing of the rows: 1/2 where k is small beside n."""
    neighbours: int
    samples: int
    """How many it was computed on."""


def trustworthiness(
    rows: Rows,
    points: NDArray[np.floating[Any]],
    *,
    neighbours: int,
    memory_bytes: int,
    seed: int,
    most: int = MOST,
    what: str = "rows",
) -> Trust:
    """
    Return the trustworthiness of a map (Venna and Kaski 2001).

    T(k) = 1 - 2 / (n k (2n - 3k - 1)) Σ_i Σ_j max(0, r(i, j) - k), over the k nearest j of each i
    on the map, where r(i, j) is the rank of j among the neighbours of i in the rows: 1 for the
    nearest. Exact on at most `most` samples; of more, on a seeded choice of so many, which are then
    ranked among themselves: neighbourhoods are then as much wider as the choice is smaller.

    Parameters
    ----------
    rows
        Shape (n, ...).
    points
        Shape (n, 2): the map.
    neighbours
        k; clipped below n / 2, where the measure ends.
    memory_bytes
        Bounds blocks of rows and what is made of them. Half of it is for the ranking, which takes
        40 bytes for each pair of samples: below 320 MB, fewer than 2,000 samples are ranked.
    seed
        Of the choice.
    most
        Samples ranked at most.
    what
        What the rows are, for messages.
    """
    count = rows.shape[0]
    if len(points) != count:
        raise AtlasError(f"{what}: {count:,} samples, but a map of {len(points):,}")
    most = min(most, int(np.sqrt(memory_bytes / 2 / PER_PAIR)))
    if count > most:
        chosen = np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
        rows, points, count = Chosen(rows, chosen), points[chosen], most
    k = min(neighbours, (count - 1) // 2)
    if k < 1:
        return Trust(float("nan"), float("nan"), 0, count)
    ranks = _ranks(_squared(rows, memory_bytes - PER_PAIR * count**2, what))
    place = points.astype(np.float64)
    on_map = (place[:, None, 0] - place[None, :, 0]) ** 2
    on_map += (place[:, None, 1] - place[None, :, 1]) ** 2
    np.fill_diagonal(on_map, np.inf)
    near = np.argsort(on_map, axis=1, kind="stable")[:, :k]
    intruding = np.maximum(np.take_along_axis(ranks, near, axis=1) - k, 0).sum(dtype=np.int64)
    worst = 2 * count - 3 * k - 1
    # of a rank that may be any of 1 ... n - 1, all alike
    chance = 1 - (count - 1 - k) * (count - k) / ((count - 1) * worst)
    return Trust(1 - 2 * float(intruding) / (count * k * worst), chance, k, count)


def _squared(rows: Rows, memory_bytes: int, what: str) -> NDArray[np.float64]:
    """Return squared distances of all pairs, by products in float64 of centred rows."""
    moments = moments_of(rows, memory_bytes=memory_bytes, what=what)
    standard = Standard.of(moments, standardise=False)
    size = block_size(
        rows,
        memory_bytes,
        per_value=READING_BYTES + 16,
        fixed=32 * width(rows),
        most=512,
        what=what,
    )
    gram = np.empty((rows.shape[0], rows.shape[0]))
    for low, block in standard.blocks(rows, size):
        left = block.astype(np.float64)
        for start in range(low.start, rows.shape[0], size):
            high = slice(start, min(start + size, rows.shape[0]))
            right = left if start == low.start else standard.block(rows, high).astype(np.float64)
            gram[low, high] = left @ right.T
            gram[high, low] = gram[low, high].T
            del right
    lengths = np.diagonal(gram).copy()
    gram *= -2
    gram += lengths[:, None]
    gram += lengths
    return gram


def _ranks(squared: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the rank of each sample among the others, row by row: 1 for the nearest."""
    np.fill_diagonal(squared, -np.inf)  # itself has rank 0
    order = np.argsort(squared, axis=1, kind="stable")
    ranks = np.empty(order.shape, np.int32)
    np.put_along_axis(ranks, order, np.arange(len(order), dtype=np.int32)[None], axis=1)
    return ranks
