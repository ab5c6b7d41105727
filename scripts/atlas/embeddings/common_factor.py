"""
The factor that a table's rows share where nothing but decay touched them.

Decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101) multiplies every weight by
c = 1 - rate * decay at every step; a row whose token never occurs gets nothing else, so after T
steps it is s = c_1 ... c_T times what it was.

What rounding leaves of that. Let u be 2^-24, the unit roundoff of float32 in which the optimiser
works. Each product is rounded, so element i ends at s a_i (1 + e_i) with |e_i| <= (1 + u)^T - 1,
about T u (Higham 2002, Accuracy and Stability of Numerical Algorithms, lemma 3.1). A factor c that
float32 tells from 1 is at most 1 - u, and one that it can't tell from 1 leaves the element as it is
and adds no error. So T u <= -ln s, whatever the rates: no element strays further from s a_i than
the decay itself took it. At tiny rates it does stray that far, and not by chance: a step of half a
unit in the last place is always rounded the same way, by the element's leading digits alone. So
the errors of untouched rows are alike, and half of them tell how large the others' may be. Storing
rounds once more, by at most half a unit in the last place of what is stored; a narrow dtype hides
in that what the steps left, so there a quarter of its unit roundoff is granted them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.tensors.tensors import FLOATING

UNIT = 2.0**-24
"""Unit roundoff of float32."""

MOST = 2.0**-8
"""Rounding taken for granted at most: 65,536 steps, all of them in one direction."""

LEAST = 4 * UNIT
"""Of any arithmetic in float32: a weighted average has two weights, two products and a sum."""

SPREAD = 4.0
"""
How much further the worst element of a row may stray than in half of the rows.

Where roundings are independent, errors are normal: the largest of 10^9 elements is below 3.6 times
the median of rows' largest of 16. Where they go by leading digits they are bounded alike.
"""

HIDDEN = 0.25
"""Share of a narrow dtype's unit roundoff that the steps' rounding may have without being seen."""

LEAST_ELEMENTS = 8
"""Elements other than 0 from which on a row may tell the factor: with fewer any would fit one."""

LEAST_ROWS = 2

MORE_THAN_CHANCE = 4
"""
How many times more rows must agree on a factor below 1 than on one above, or the reverse.

Rows that moved by about a unit in the last place fit a factor near 1 by chance: as many on one side
of it as on the other.
"""

PRECISION = {"f64": 53, "f32": 24, "f16": 11, "bf16": 8, "f8_e4m3fn": 4, "f8_e5m2": 3}
"""Bits of each dtype's significand, the leading one included."""

LEAST_NORMAL = {
    "f64": 2.0**-1022,
    "f32": 2.0**-126,
    "f16": 2.0**-14,
    "bf16": 2.0**-126,
    "f8_e4m3fn": 2.0**-6,
    "f8_e5m2": 2.0**-14,
}
assert set(PRECISION) == set(LEAST_NORMAL) == FLOATING

EXPONENT = np.uint64(0x7FF) << np.uint64(52)
"""Where float64 keeps its exponent."""


@dataclass(frozen=True)
class Factor:
    """What a table's untouched rows were multiplied by, as far as its rounding tells."""

    value: float
    tolerance: float
    """How far elements may stray from it, as a share of it, beyond what storing rounds."""


def half_units(values: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """
    Return half a unit in the last place of numbers stored in a dtype: what rounding may change.

    >>> half_units(np.array([1.5, -1024.0, 0.0]), "f16").tolist()
    [0.00048828125, 0.5, 2.9802322387695312e-08]
    """
    powers = (values.view(np.uint64) & EXPONENT).view(np.float64)
    return np.maximum(powers, LEAST_NORMAL[dtype]) * 2.0 ** -PRECISION[dtype]


def intervals(
    base: NDArray[np.float64], other: NDArray[np.float64], allowance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the largest lower and the least upper bound that each row sets to a factor.

    Element i allows the factors s with |other_i - s base_i| <= allowance_i. A row of which no
    factor is allowed has its lower bound above its upper one.

    Parameters
    ----------
    base, other, allowance
        Shape (rows, width), finite; the allowances are above 0.
    """
    size = np.abs(base)
    turned = np.where(size == 0, np.abs(other), np.copysign(1.0, base) * other)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # 0 / 0, where all of an element may come of rounding a 0, bounds nothing: fmax skips it
        low = np.fmax.reduce((turned - allowance) / size, axis=1)
        high = ((turned + allowance) / size).min(axis=1)
    return low, high


def strayed(
    low: NDArray[np.float64], high: NDArray[np.float64], factor: float
) -> NDArray[np.float64]:
    """Return how far each row's worst element strays from a factor, as a share of it."""
    return np.maximum(np.maximum(low - factor, factor - high), 0.0) / factor


def most_rounding(factor: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the most that the steps' rounding can add up to: see the module."""
    return np.minimum(np.abs(np.log(factor)), MOST)


def find(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    elements: NDArray[np.int64],
    dtypes: Sequence[str],
) -> Factor | None:
    """
    Return the factor that most rows agree on, or None where there is none.

    Rows that can't be a multiple of the base's within the rounding of any number of steps have no
    say. Each other row holds the factor between its bounds, or between its crossed bounds where
    its elements stray from it; the factor is the middle of where most of these overlap.

    Parameters
    ----------
    low, high
        The rows' bounds, as `intervals` returns them; shape (rows,).
    elements
        How many of a row's elements in the base are other than 0.
    dtypes
        That both tables are stored in.
    """
    first, last = np.minimum(low, high), np.maximum(low, high)
    usable = (elements >= LEAST_ELEMENTS) & np.isfinite(first) & np.isfinite(last) & (first > 0)
    first, last = np.where(usable, first, 1.0), np.where(usable, last, 1.0)
    centre = (first + last) / 2
    gap = np.where(low > high, (last - first) / 2, 0.0) / centre
    usable &= gap <= most_rounding(centre)
    below, above = usable & (last < 1), usable & (first > 1)
    sides = [_agreed(first[side], last[side]) for side in (below, above)]
    (fewer, _), (rows, value) = sorted(sides)
    if rows < LEAST_ROWS or rows < MORE_THAN_CHANCE * fewer:
        return None
    told = strayed(low, high, value)[usable & (first <= value) & (value <= last)]
    hidden = max(HIDDEN * 2.0 ** -PRECISION[dtype] for dtype in dtypes)
    tolerance = max(SPREAD * float(np.median(told)), hidden, LEAST)
    return Factor(value, min(tolerance, float(most_rounding(value))))


def _agreed(first: NDArray[np.float64], last: NDArray[np.float64]) -> tuple[int, float]:
    """Return how many intervals overlap where most do, and the middle of that place."""
    if not first.size:
        return 0, 1.0
    opened, closed = np.sort(first), np.sort(last)
    # just after the k-th opens, so many are open as have opened less those that closed before
    depth = np.arange(1, first.size + 1) - np.searchsorted(closed, opened, side="left")
    best = int(np.argmax(depth))
    until = closed[np.searchsorted(closed, opened[best], side="left")]
    return int(depth[best]), float((opened[best] + until) / 2)
