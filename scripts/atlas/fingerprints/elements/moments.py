"""
Moments of a stream of numbers, accumulated in float64 without cancellation.

Sums run in LANES side by side and are folded at the end: an order that vectors of any width keep,
so that numpy, compiled code, and all processors come to the same bits.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

LANES = 256
"""Sums that run side by side: element i of a chunk goes to sum i % LANES."""

LARGEST = 2.0**240
"""
The largest size of an element that is counted in: 1.8e72.

Sums of fourth powers of larger ones leave float64. No weight is near it.
"""


@dataclass
class Moments:
    """
    Count, mean and central power sums of the finite elements seen so far.

    Elements beyond LARGEST, which only float64 has, are counted with those that are not finite.

    Chunks are merged by the formulas of Pébay (2008), Formulas for robust, one-pass parallel
    computation of covariances and arbitrary-order statistical moments, SAND2008-6212, eq. 3.1,
    so that weights of mean 1 and deviation 1e-6 keep their digits.
    """

    count: int = 0
    mean: float = 0.0
    sum2: float = 0.0
    sum3: float = 0.0
    sum4: float = 0.0
    nonfinite: int = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in a chunk: float64, one-dimensional; it may be overwritten."""
        finite = np.abs(values) <= LARGEST
        if not finite.all():
            self.nonfinite += int(values.size - np.count_nonzero(finite))
            values = values[finite]
        if values.size == 0:
            return
        self.merge(_moments_of(values))

    def merge(self, other: "Moments") -> None:
        """Add another stream's moments to these."""
        n, m = self.count, other.count
        total = n + m
        self.nonfinite += other.nonfinite
        if m == 0:
            return
        delta = (other.mean - self.mean) / total
        square = delta * delta
        self.sum4 += (
            other.sum4
            + square * square * n * m * total * (n * n - n * m + m * m)
            + 6 * square * (n * n * other.sum2 + m * m * self.sum2)
            + 4 * delta * (n * other.sum3 - m * self.sum3)
        )
        self.sum3 += (
            other.sum3
            + square * delta * n * m * total * (n - m)
            + 3 * delta * (n * other.sum2 - m * self.sum2)
        )
        self.sum2 += other.sum2 + square * n * m * total
        self.mean += delta * m
        self.count = total

    @property
    def norm(self) -> float:
        """Root of the sum of squares: of all terms positive, so it keeps all digits."""
        return sqrt(self.sum2 + self.count * self.mean * self.mean)

    @property
    def std(self) -> float | None:
        """Standard deviation of the population; None of nothing."""
        return sqrt(self.sum2 / self.count) if self.count else None

    @property
    def kurtosis(self) -> float | None:
        """Excess kurtosis: 0 for a normal distribution; None where all elements are equal."""
        return self.count * (self.sum4 / self.sum2) / self.sum2 - 3 if self.sum2 > 0 else None


def _moments_of(values: NDArray[np.float64]) -> Moments:
    """Return the moments of finite values, which are overwritten."""
    mean = folded(_lanes(values)) / values.size
    values -= mean
    square = values * values
    return Moments(
        count=values.size,
        mean=mean,
        sum2=folded(_lanes(square)),
        sum3=folded(_lanes(square * values)),
        sum4=folded(_lanes(square * square)),
    )


def _lanes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up each lane, element after element: float64 (LANES,)."""
    whole = values.size - values.size % LANES
    rows = values[:whole].reshape(-1, LANES)
    lanes: NDArray[np.float64] = rows.sum(axis=0)  # along the first axis numpy adds row after row
    lanes[: values.size - whole] += values[whole:]
    return lanes


def folded(lanes: NDArray[np.float64]) -> float:
    """Return the sum of the lanes, upper half added to lower half down to one."""
    while lanes.size > 1:
        half = lanes.size // 2
        lanes = lanes[:half] + lanes[half:]
    return float(lanes[0])
