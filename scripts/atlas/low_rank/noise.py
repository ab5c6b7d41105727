"""
How large the singular values are that rounding alone makes.

A matrix of independent errors with variances σ_ij² has its largest singular value near
max_i √(Σ_j σ_ij²) + max_j √(Σ_i σ_ij²) (Bandeira and van Handel 2016, Sharp nonasymptotic bounds on
the norm of random matrices with independent entries, theorem 1.1). Where all are equal this is
σ (√m + √n); the errors of rounding are not, as a column of large weights is spaced more widely.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.rounding import SPACINGS, powers_below

SLACK = 1.1
"""How far above the bound a singular value is believed."""
STRAY = 0.5
"""How much further in small matrices, whose largest value strays: divided by the smaller side."""

ROWS_BYTES = 1 << 25
"""Bytes of float64 that are in hand at a time."""


@dataclass(frozen=True)
class Noise:
    """The variances of a matrix's errors, added up."""

    rows: NDArray[np.float64]
    """float64 (m,): over each row."""
    columns: NDArray[np.float64]
    """float64 (n,): over each column."""

    @property
    def energy(self) -> float:
        """The sum of all variances: what the squares of all singular values sum to."""
        return float(self.rows.sum())

    @property
    def threshold(self) -> float:
        """The least singular value that is more than such errors make."""
        if self.energy == 0:
            return 0.0
        slack = SLACK + STRAY / min(self.rows.size, self.columns.size)
        return slack * (sqrt(self.rows.max()) + sqrt(self.columns.max()))

    def __add__(self, other: Noise) -> Noise:
        """Return the noise of the sum of independent errors."""
        return Noise(self.rows + other.rows, self.columns + other.columns)


def of_rounding(matrix: NDArray[Any], dtype: str) -> Noise:
    """
    Return the errors of a matrix that was rounded to a dtype: spacing² / 12 of each element.

    Parameters
    ----------
    matrix
        float32 or float64 (m, n), finite.
    dtype
        One of SPACINGS.
    """
    spacing = SPACINGS[dtype]
    rows = np.empty(matrix.shape[0])
    columns = np.zeros(matrix.shape[1])
    step = max(1, ROWS_BYTES // (8 * matrix.shape[1]))
    for start in range(0, matrix.shape[0], step):
        powers = powers_below(matrix[start : start + step], dtype)
        variances = np.square(powers, dtype=np.float64)
        rows[start : start + step] = variances.sum(axis=1)
        columns += variances.sum(axis=0)
    scale = 4.0**-spacing.digits / 12
    return Noise(rows * scale, columns * scale)
