"""Singular values: all of a matrix, or its largest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

COLUMNS_BYTES = 1 << 26
"""Bytes of float64 that are in hand at a time beside the matrix."""

LOST = 3e-8
"""
What a Gram matrix in float64 does not tell of singular values, relative to the largest.

Its eigenvalues are their squares and wrong by some 1e-16 of the largest one, with a root of 1e-8.
"""

MORE = 16
"""Directions that are followed beyond those asked for, so that the last ones are right."""


def all_of(matrix: NDArray[Any], resolve: float) -> NDArray[np.float64]:
    """
    Return all singular values, largest first: float64 (min(m, n),).

    They are the roots of the smaller Gram matrix's eigenvalues, which takes a part of the time of a
    singular value decomposition and is blind below LOST times the largest. Where `resolve`, a size
    that matters, is below that, the decomposition is taken.

    Parameters
    ----------
    matrix
        float32 or float64 (m, n), finite.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    gram = np.zeros((wide.shape[0], wide.shape[0]))
    step = max(1, COLUMNS_BYTES // (8 * wide.shape[0]))
    for start in range(0, wide.shape[1], step):
        columns = wide[:, start : start + step].astype(np.float64)
        gram += columns @ columns.T
    values = np.sqrt(np.maximum(linalg.eigvalsh(gram, overwrite_a=True)[::-1], 0.0))
    if values.size and resolve < LOST * values[0]:
        values = linalg.svdvals(matrix.astype(np.float64), overwrite_a=True)
    found: NDArray[np.float64] = values
    return found


def leading(
    matrix: NDArray[Any], count: int, *, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the largest singular values with their vectors: (m, count), (count,), (count, n).

    By a randomised range finder with a power iteration (Halko, Martinsson and Tropp 2011, Finding
    structure with randomness, algorithm 4.4), in float64. Values that stand out are exact to some
    1e-10; those in the noise come out a little too small.

    Parameters
    ----------
    matrix
        float32 or float64 (m, n), finite.
    count
        Less than min(m, n) by more than MORE, else all are returned.
    seed
        Of the directions that are drawn.
    """
    double = matrix.astype(np.float64)
    width = count + MORE
    if width >= min(matrix.shape):
        left, values, right = linalg.svd(double, full_matrices=False)
        return left[:, :count], values[:count], right[:count]
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_normal((matrix.shape[1], width))
    basis = linalg.qr(double @ drawn, mode="economic")[0]
    other = linalg.qr(double.T @ basis, mode="economic")[0]
    basis = linalg.qr(double @ other, mode="economic")[0]
    left, values, right = linalg.svd(basis.T @ double, full_matrices=False)
    return (basis @ left)[:, :count], values[:count], right[:count]
