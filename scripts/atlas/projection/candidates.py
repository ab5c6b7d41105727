"""Candidates: the samples that may be nearest, and below which distance no other one is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.projection.products import ERROR, UNIT, Products
from atlas.projection.rows import Rows, read, width

DOUBLE_UNIT = 2.0**-53
SMALLEST = 2.0**-126
"""Below it float32 loses digits, or flushes to 0."""
DENSE = 8
"""Where more than one in so many samples may be among the nearest, all are put in order."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Where the rows lie: products are taken of (row - centre) · factor, which can't overflow."""

    centre: NDArray[np.float32]
    """Shape (d,)."""
    factor: float
    """A power of two: multiplying by it rounds nothing."""

    def block(self, rows: Rows, start: int, stop: int, dtype: type) -> NDArray[Any]:
        """Return rows in this frame, rounded once."""
        block: NDArray[Any] = read(rows, start, stop)
        if dtype is np.float64:
            block = block.astype(np.float64)
        block *= block.dtype.type(self.factor)
        block -= self.centre * block.dtype.type(self.factor)
        return block


@dataclass(frozen=True, eq=False)
class Candidates:
    """Of each query, the samples with the smallest lower bounds of their distance."""

    queries: NDArray[np.int64]
    """Shape (q,): places among the samples."""
    places: NDArray[np.int32]
    """Shape (q, m)."""
    limit: NDArray[np.float64]
    """Shape (q,): no sample beside the candidates has a squared distance below it."""


class _Kept:
    """The smallest bounds so far."""

    def __init__(self, queries: int, most: int) -> None:
        self.bounds = np.full((queries, most), np.inf)
        self.places = np.full((queries, most), -1, np.int32)

    def offer(self, here: slice, bounds: NDArray[np.float64], first: int) -> None:
        """
        Look at more samples, from place `first` on, for the queries that stand `here`.

        Parameters
        ----------
        here
            Of the queries.
        bounds
            Shape (queries, samples).
        first
            Place of the first of the samples.
        """
        worst = self.bounds[here].max(axis=1)
        better = bounds < worst[:, None]
        counts = np.count_nonzero(better, axis=1)
        if counts.sum() > bounds.size / DENSE:
            self._take_all(here, bounds, first)
        elif counts.any():
            # of the flat array, which is much faster than of two axes
            query, sample = np.divmod(np.flatnonzero(np.ascontiguousarray(better)), len(bounds[0]))
            starts = np.repeat(np.cumsum(counts) - counts, counts)
            rank = np.arange(len(query)) - starts
            offered = np.full((len(bounds), counts.max()), np.inf)
            offered[query, rank] = bounds[query, sample]
            places = np.full(offered.shape, -1, np.int32)
            places[query, rank] = sample + first
            self._merge(here, offered, places)

    def _take_all(self, here: slice, bounds: NDArray[np.float64], first: int) -> None:
        """Offer all samples, where most of them may be among the nearest so far."""
        most = self.bounds.shape[1]
        if bounds.shape[1] > most:
            best = np.argpartition(bounds, most - 1, axis=1)[:, :most]
            self._merge(here, np.take_along_axis(bounds, best, axis=1), best + first)
        else:
            numbers = np.arange(first, first + bounds.shape[1])
            self._merge(here, bounds, np.broadcast_to(numbers, bounds.shape))

    def _merge(
        self, here: slice, bounds: NDArray[np.float64], places: NDArray[np.integer[Any]]
    ) -> None:
        """Keep the smallest of what is kept and what is offered."""
        most = self.bounds.shape[1]
        bounds = np.concatenate([self.bounds[here], bounds], axis=1)
        places = np.concatenate([self.places[here], places.astype(np.int32)], axis=1)
        best = np.argpartition(bounds, most - 1, axis=1)[:, :most]
        self.bounds[here] = np.take_along_axis(bounds, best, axis=1)
        self.places[here] = np.take_along_axis(places, best, axis=1)


def candidates(
    rows: Rows,
    frame: Frame,
    *,
    most: int,
    size: int,
    products: Products,
    queries: NDArray[np.int64] | None = None,
) -> Candidates:
    """
    Return candidates for all samples, or more exactly (in float64) for some.

    |a - b|² = |a|² + |b|² - 2ab is known up to an error e(a, b); candidates are chosen by
    |a|² + |b|² - 2ab - e, which is never above the true distance. With S = |a| + |b| in the frame,
    e ≤ α S² is made of the products' error (2ab ≤ S² / 2), the rounding of rows when they are
    centred (2.1 units of S²), the float64 sums, and what is too small for float32.

    Parameters
    ----------
    rows
        All samples.
    frame
        Where they lie.
    most
        Candidates for each query, at most the number of other samples.
    size
        Samples of a block: two blocks and their products are in memory at a time.
    products
        Multiplies blocks.
    queries
        Places of the samples that are asked about; of all if None, where each pair of blocks is
        multiplied once.
    """
    count, features = rows.shape[0], width(rows)
    dtype = np.float32 if queries is None else np.float64
    share = 3 * (features + 8) * DOUBLE_UNIT
    if queries is None:
        share += ERROR / 2 + 2.1 * UNIT
    asked = np.arange(count) if queries is None else queries
    kept = _Kept(len(asked), most)
    for start in range(0, count, size):
        here = slice(*np.searchsorted(asked, (start, start + size)))
        if here.start == here.stop:
            continue
        left = frame.block(rows, start, start + size, dtype)
        if queries is not None:
            left = left[asked[here] - start]
        for begin in range(start if queries is None else 0, count, size):
            is_same = queries is None and begin == start
            right = left if is_same else frame.block(rows, begin, begin + size, dtype)
            bounds = _bounds(left, right, products, share, features)
            itself = asked[here] - begin
            within = np.flatnonzero((itself >= 0) & (itself < len(right)))
            bounds[within, itself[within]] = np.inf
            kept.offer(here, bounds, begin)
            if queries is None and not is_same:
                kept.offer(slice(begin, begin + len(right)), bounds.T, start)
            del right, bounds
    limit = kept.bounds.max(axis=1) if most < count - 1 else np.full(len(asked), np.inf)
    return Candidates(asked, kept.places, limit / frame.factor**2)


def _bounds(
    left: NDArray[Any], right: NDArray[Any], products: Products, share: float, features: int
) -> NDArray[np.float64]:
    """Return what the squared distances of all pairs of two blocks are not below."""
    bounds = products.of(left, right)
    first, second = (np.einsum("ij,ij->i", side, side, dtype=np.float64) for side in (left, right))
    # |a|² + |b|² - 2ab - share (|a| + |b|)², in as few steps over the square as it takes
    bounds += np.multiply.outer(share * np.sqrt(first), np.sqrt(second))
    bounds *= -2
    bounds += ((1 - share) * first - 8 * features * SMALLEST)[:, None]
    bounds += (1 - share) * second
    return bounds
