"""What rounding leaves of a sum: how large a residual is still that of an exact recipe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLACK = 0.02
"""Of the square: a rounded weight's own exponent may be the next one to its sum's."""

DEVIATIONS = 12.0
"""
Over √n, of the square: four standard errors of a mean of n squared roundings.

One rounding's square has a relative standard deviation of √0.8; where exponents are spread over
several octaves, a tenth of the elements carries the sum, which makes it about 3.
"""

DENOMINATORS = (2, 4, 6, 8)
"""Of weights that are simple fractions, as 1/2 is."""

PLAIN = 100
"""Weights that a person has typed are multiples of 1/100."""
WELL_KNOWN = 5e-4
"""A weight's largest error that lets it be told from what nobody would type."""

MEASURED = 2.0**-22
"""Relative error of stored squares: distances are measured by float32 differences."""

BY_FLOAT64 = 2.0**-40
"""The same of norms."""


def largest_ratio(
    weights: NDArray[np.float64], errors: NDArray[np.float64], elements: float
) -> float:
    """
    Return how much larger than the rounding floor's the square of an exact sum's residual may be.

    A sum of parents on one grid with weights p/q falls on multiples of 1/q of the grid. Rounding
    these leaves (q² + 2)/q² of what it leaves of numbers that lie anywhere, for even q: 1.5 for
    halves, 1.125 for quarters. (The mean of k² over the q residues −q/2 < k ≤ q/2 is (q² + 2)/12.)

    Mergers that compute in half precision round every product too, and some cast parents first:
    each of these leaves w² of what the last rounding does, and the sum of such products falls on
    halves. That much more is granted to weights that are plain numbers, which no missing parent
    leaves them.

    >>> round(largest_ratio(np.array([0.5, 0.5]), np.zeros(2), 1e12), 2)
    1.52
    >>> round(largest_ratio(np.array([0.7, 0.3]), np.zeros(2), 1e12), 2)
    2.1
    >>> round(largest_ratio(np.array([0.7031, 0.2969]), np.zeros(2), 1e12), 2)
    1.02
    """
    near = np.maximum(3 * errors, 1e-4)
    ties = 0.0
    if not _are_multiples(weights, near, 1):
        for denominator in DENOMINATORS:
            if _are_multiples(weights, near, denominator):
                ties = 2 / denominator**2
                break
    if (weights >= 0).all() and (errors <= WELL_KNOWN).all():
        near = np.maximum(3 * errors, 2e-5)
        if _are_multiples(weights, near, PLAIN):
            ties = max(ties, 0.5 + float((weights**2).sum()))
    return float(1 + ties + SLACK + DEVIATIONS / np.sqrt(max(elements, 1.0)))


def _are_multiples(
    weights: NDArray[np.float64], near: NDArray[np.float64], denominator: int
) -> bool:
    scaled = weights * denominator
    return bool((np.abs(scaled - np.round(scaled)) <= near * denominator).all())
