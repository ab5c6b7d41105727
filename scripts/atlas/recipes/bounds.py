"""What rounding leaves of a sum: how large a residual is still that of an exact recipe."""

from __future__ import annotations

from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

SLACK = 0.03
"""Of the square: a rounded weight's own exponent may be the next one to its sum's."""

DEVIATIONS = 12.0
"""
Over √n, of the square: four standard errors of a mean of n squared roundings.

One rounding's square has a relative standard deviation of √0.8; where exponents are spread over
several octaves, a tenth of the elements carries the sum, which makes it about 3.
"""

LONE_DEVIATIONS = 4.0
"""
The same of a block whose parents do not explain most of their component's other blocks.

Where a parent is missing, or training followed, one block in hundreds comes near by chance.
"""

DENOMINATORS = (2, 4, 6, 8)
"""Of weights that are simple fractions, as 1/2 is."""

PLAIN = 100
"""Weights that a person has typed are multiples of 1/100."""
WELL_KNOWN = 5e-4
"""A weight's largest error that lets it be told from what nobody would type."""

HALF_ARITHMETIC = {2: (1.65, 1.95), 3: (2.05, 2.25)}
"""
Squared residual over the floor's square, by number of parents, where each product was rounded.

Products leave w² each of what the last rounding does, and their sum falls on halves and quarters.
Measured of float16 and bfloat16 for weights from 0.05 to 0.95: 1.67–1.94, and 2.06–2.23.
"""
SCATTER = 0.1
"""By how much more or less small blocks may leave of it."""
HALF_BLOCKS = 3
"""A merger computes all blocks alike: so few of them tell nothing of its arithmetic."""

MEASURED = 2.0**-22
"""Relative error of stored squares: distances are measured by float32 differences."""

BY_FLOAT64 = 2.0**-40
"""The same of norms."""


def largest_ratio(
    weights: NDArray[np.float64],
    errors: NDArray[np.float64],
    elements: float,
    *,
    deviations: float = DEVIATIONS,
) -> float:
    """
    Return how much larger than the rounding floor's the square of an exact sum's residual may be.

    A sum of parents on one grid with weights p/q falls on multiples of 1/q of the grid. Rounding
    these leaves (q² + 2)/q² of what it leaves of numbers that lie anywhere, for even q: 1.5 for
    halves, 1.125 for quarters. (The mean of k² over the q residues −q/2 < k ≤ q/2 is (q² + 2)/12.)

    >>> round(largest_ratio(np.array([0.5, 0.5]), np.zeros(2), 1e12), 2)
    1.53
    >>> round(largest_ratio(np.array([0.7031, 0.2969]), np.zeros(2), 1e12), 2)
    1.03
    """
    near = np.maximum(3 * errors, 1e-4)
    ties = 0.0
    if not _are_multiples(weights, near, 1):
        for denominator in DENOMINATORS:
            if _are_multiples(weights, near, denominator):
                ties = 2 / denominator**2
                break
    return float(1 + ties + SLACK + deviations / np.sqrt(max(elements, 1.0)))


def half_arithmetic(
    weights: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[float, float] | None:
    """
    Return between which ratios of squares a sum lies that was computed in half precision.

    Only of plain weights, multiples of 1/100, which no missing parent leaves: else None. Many
    mergers compute in half precision, and round every product.
    """
    near = np.maximum(3 * errors, 2e-5)
    plain = (weights >= 0).all() and (errors <= WELL_KNOWN).all()
    if plain and _are_multiples(weights, near, PLAIN):
        return HALF_ARITHMETIC.get(len(weights))
    return None


class Left(Enum):
    """What a sum leaves of its target."""

    ROUNDING = auto()
    """As much as one rounding, that of the sum."""
    HALF_ARITHMETIC = auto()
    """As much as where products were rounded, too: if most of the blocks are so, it is a sum."""
    MORE = auto()


def left(
    ratio: float,
    weights: NDArray[np.float64],
    errors: NDArray[np.float64],
    elements: float,
    roundings: float,
) -> Left:
    """
    Judge the square of a residual.

    Parameters
    ----------
    ratio
        It over that of the rounding floor, and over `roundings`.
    roundings
        Above 1 for float32 and wider targets, which no arithmetic of half precision makes.
    """
    if ratio <= largest_ratio(weights, errors, elements):
        return Left.ROUNDING
    if roundings > 1:
        return Left.MORE
    scatter = min(DEVIATIONS / np.sqrt(max(elements, 1.0)), SCATTER)
    least, most = half_arithmetic(weights, errors) or (np.inf, -np.inf)
    return Left.HALF_ARITHMETIC if least - scatter <= ratio <= most + scatter else Left.MORE


def is_common(half: int, blocks: int) -> bool:
    """Tell whether so many of a component's blocks let its arithmetic be of half precision."""
    return half >= HALF_BLOCKS and 2 * half >= blocks


def _are_multiples(
    weights: NDArray[np.float64], near: NDArray[np.float64], denominator: int
) -> bool:
    scaled = weights * denominator
    return bool((np.abs(scaled - np.round(scaled)) <= near * denominator).all())
