"""
Numbers as decimal digits and a power of ten: what a page shows, to the digit, in three bytes.

assets/decimals.js reads them. A number that a table has is shown with so many significant digits;
kept as these digits, it is the same in the page as in the table, and takes no more than it says.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atlas.pages.packing import Packing

DIGITS = 4
"""Significant digits that a page shows."""
LEAST, MOST = 1e-120, 1e120
"""What is beyond is told as these."""
FIRST = 100
"""The least that digits are; what is below it is a code."""
NOT_COMPARED, IDENTICAL, ZERO, SHARED, ABSENT, UNDEFINED = range(6)
"""
In the place of digits: there is no number, as nothing was compared; the same
weights; a 0 that was measured; all that could be compared is the same; neither has any of it; one
of the two is all zero, so that nothing is relative to it.
"""


class Decimals(NamedTuple):
    """Digits and powers of ten of equal shape."""

    digits: NDArray[np.uint16]
    """Of `count` significant digits as one whole number, or one of the codes above."""
    powers: NDArray[np.int8]
    """Of the first digit."""


def decimals(values: NDArray[np.float64], count: int = DIGITS) -> Decimals:
    """
    Return numbers with so many significant digits: NaN as NOT_COMPARED, 0 as ZERO.

    Parameters
    ----------
    values
        Not negative, any shape.
    count
        Significant digits, 3 or 4.

    >>> digits, powers = decimals(np.array([0.00467249, 0.0, np.nan, 9.9996]))
    >>> digits.tolist(), powers.tolist()
    ([4672, 2, 0, 1000], [-3, 0, 0, 1])
    """
    positive = np.isfinite(values) & (values > 0)
    safe = np.clip(np.where(positive, values, 1.0), LEAST, MOST)
    power = np.floor(np.log10(safe))
    power += (safe >= 10.0 ** (power + 1)).astype(int) - (safe < 10.0**power)  # logarithms round
    low, high = 10.0 ** np.maximum(power - count + 1, 0), 10.0 ** np.maximum(count - 1 - power, 0)
    digits = np.rint(safe / low * high)
    is_next = digits >= 10**count
    digits, power = np.where(is_next, digits / 10, digits), power + is_next
    told = np.where(positive, digits, np.where(values == 0, ZERO, NOT_COMPARED))
    return Decimals(told.astype(np.uint16), np.where(positive, power, 0).astype(np.int8))


def packed(numbers: Decimals, packing: Packing, count: int = DIGITS) -> dict[str, Any]:
    """Return what a page is told of numbers: low and high bytes apart are packed more closely."""
    bytes_of = np.ascontiguousarray(numbers.digits, "<u2").view(np.uint8).reshape(-1, 2)
    return {
        "count": count,
        "low": packing.add(bytes_of[:, 0]),
        "high": packing.add(bytes_of[:, 1]),
        "powers": packing.add(numbers.powers),
    }
