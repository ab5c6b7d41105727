"""Moments: mean and spread of each feature in one pass, and standardised blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
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

PER_VALUE = READING_BYTES + 4
"""Bytes for each value of a block in this pass: one working copy."""
PER_FEATURE = 5 * 8
"""Bytes for each feature: sums of first and second order, and what is made of them."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of each feature."""

    first: NDArray[np.float32]
    """Shape (d,): the first sample, from which all differences are taken."""
    offset: NDArray[np.float64]
    """Shape (d,): mean of the differences from the first sample."""
    variance: NDArray[np.float64]
    """Shape (d,): divided by n, as scikit-learn's StandardScaler does."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """Return the mean of each feature."""
        return self.first + self.offset

    @property
    def scale(self) -> NDArray[np.float64]:
        """Return the standard deviation of each feature, 1 for a constant one."""
        deviation = np.sqrt(self.variance)
        deviation[deviation == 0] = 1.0
        return deviation


@dataclass(frozen=True, eq=False)
class Standard:
    """Turns blocks of rows into standardised ones."""

    first: NDArray[np.float32]
    offset: NDArray[np.float32]
    factor: NDArray[np.float32]
    """1 / scale."""

    @classmethod
    def of(cls, moments: Moments, *, standardise: bool) -> "Standard":
        """Centre, and divide by the scale where `standardise` says so."""
        factor = 1 / moments.scale if standardise else np.ones_like(moments.offset)
        return cls(
            moments.first, moments.offset.astype(np.float32), factor.astype(np.float32, copy=False)
        )

    def block(self, rows: Rows, place: slice) -> NDArray[np.float32]:
        """
        Read some rows, standardised.

        The first sample is taken off before the mean's distance from it: a mean that is large
        beside the spread has no place in float32, their difference has.
        """
        block = read(rows, place.start, place.stop)
        block -= self.first
        block -= self.offset
        block *= self.factor
        return block

    def blocks(self, rows: Rows, size: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Read all rows in order, standardised, so many at a time."""
        for start in range(0, rows.shape[0], size):
            place = slice(start, min(start + size, rows.shape[0]))
            yield place, self.block(rows, place)


def moments_of(rows: Rows, *, memory_bytes: int, what: str = "rows") -> Moments:
    """
    Return mean and variance of each feature.

    Sums of differences from the first sample and of their squares are taken in float64: a constant
    feature has a variance of exactly 0, and a large common offset costs no digits.

    Raises
    ------
    AtlasError
        When a value is not finite or near the end of float32, when there are none, or when not one
        row fits in memory.
    """
    require_samples(rows, what)
    features = width(rows)
    size = block_size(
        rows, memory_bytes, per_value=PER_VALUE, fixed=PER_FEATURE * features, most=512, what=what
    )
    first: NDArray[np.float32] | None = None
    sums = np.zeros(features)
    squares = np.zeros(features)
    for _, block in blocks(rows, size):
        require_finite(block, rows, size, what)
        if first is None:
            first = block[0].copy()
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            block -= first
            sums += block.sum(axis=0, dtype=np.float64)
        squares += np.einsum("ij,ij->j", block, block, dtype=np.float64)
    assert first is not None
    if not (np.isfinite(sums).all() and np.isfinite(squares).all()):
        raise AtlasError(f"{what}: differences of the samples overflow float32; scale them down")
    sums /= rows.shape[0]
    squares /= rows.shape[0]
    squares -= sums**2
    return Moments(first, sums, np.maximum(squares, 0.0, out=squares))
