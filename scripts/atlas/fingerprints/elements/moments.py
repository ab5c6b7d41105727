"""Moments of a stream of numbers, accumulated in float64 without cancellation."""

from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray


@dataclass
class Moments:
    """
    Count, mean and central power sums of the finite elements seen so far.

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
        finite = np.isfinite(values)
        if not finite.all():
            self.nonfinite += int(values.size - np.count_nonzero(finite))
            values = values[finite]
        if values.size == 0:
            return
        with np.errstate(over="ignore", invalid="ignore"):  # of float64 beyond any weight
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
        total = self.sum2 + self.count * self.mean * self.mean
        return sqrt(total) if isfinite(total) else inf

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
    mean = float(values.mean())
    values -= mean
    square = values * values
    return Moments(
        count=values.size,
        mean=mean,
        sum2=float(square.sum()),
        # no np.dot: BLAS would start its threads for a chunk of a few microseconds
        sum3=float((square * values).sum()),
        sum4=float((square * square).sum()),
    )
