"""
Whether a matrix of low rank is a LoHa: the product, element by element, of two of lower rank.

A LoHa of dimension r (Hyeon-Woo, Ye-Bin and Oh 2022, FedPara) is (B₁A₁) ∘ (B₂A₂), of rank r². So is
a LoRA of that rank; but each row of the former's left factor is b ⊗ c, a matrix r × r of rank one
that a linear map hides. All its 2 × 2 minors vanish: C(r, 2)² quadrics on which every row lies. The
products of a row's entries in pairs, r² (r² + 1) / 2 of them, then span (r (r + 1) / 2)² dimensions
alone.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

LARGEST = 8
"""The largest dimension that is looked for: 2,080 products a row."""

DROP = 0.2
"""How much smaller the first singular value is that should vanish than the last that shouldn't."""


def dimension_of(left: NDArray[np.float64], right: NDArray[np.float64]) -> int:
    """
    Return the dimension of the LoHa of which these span columns and rows; 0 where it is none.

    One of the two sides must be long enough to tell, and none that is may say no.

    Parameters
    ----------
    left, right
        Orthonormal bases of columns and rows, float64 (m, rank) and (n, rank).
    """
    rank = left.shape[1]
    dimension = isqrt(rank)
    if dimension**2 != rank or not 2 <= dimension <= LARGEST:
        return 0
    told = [_lies_on_quadrics(side, dimension) for side in (left, right)]
    return dimension if True in told and False not in told else 0


def _lies_on_quadrics(basis: NDArray[np.float64], dimension: int) -> bool | None:
    """Return whether a basis's rows have the products of a LoHa's; None where it is too short."""
    first, second = np.triu_indices(basis.shape[1])
    spanned = (dimension * (dimension + 1) // 2) ** 2
    if len(basis) < spanned + dimension**2:
        return None
    rows = basis / np.maximum(linalg.norm(basis, axis=1, keepdims=True), np.finfo(float).tiny)
    products = rows[:, first] * rows[:, second]
    values = linalg.svdvals(products[: 4 * first.size])
    return bool(values[spanned] < DROP * values[spanned - 1])
