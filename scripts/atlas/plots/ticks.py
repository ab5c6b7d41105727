"""Round numbers on logarithmic scales, no more than have room for their labels."""

from collections.abc import Sequence
from math import ceil, floor, inf, log10

from atlas.plots.style import SMALL, text_width
from atlas.plots.words import significant

STEPS = ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
"""Ticks of a decade, from many to one."""
MOST = 6
GAP = 0.06
"""Inches between two labels."""


def round_ticks(low: float, high: float) -> list[float]:
    """
    Return at most six round numbers for a log scale.

    >>> round_ticks(3.0, 120.0)
    [5.0, 10.0, 20.0, 50.0, 100.0]
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks: list[float] = []
    for steps in STEPS:
        ticks = [float(f"{step}e{power}") for power in powers for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= MOST:
            return ticks
    return ticks[:: ceil(len(ticks) / MOST)]


def readable(ticks: Sequence[float], low: float, high: float, width: float) -> list[float]:
    """Return the ticks whose labels, from the left, do not run into one another."""
    kept, end = [], -inf
    for tick in ticks:
        centre = width * (log10(tick) - log10(low)) / (log10(high) - log10(low))
        half = (text_width(significant(tick, 3), SMALL) + GAP) / 2
        if centre - half >= end:
            kept.append(tick)
            end = centre + half
    return kept


def round_below(value: float) -> float:
    """
    Return the largest of 1, 2, 5 times a power of ten that is not above the value.

    >>> round_below(73.0)
    50.0
    """
    power = 10.0 ** floor(log10(value))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= value * (1 + 1e-9))
