"""
How far two models are apart by their sketches, with bounds that hold the truth.

The squared length of a block's sketch is that of the block times a chi-squared of SUMS degrees over
SUMS, nearly: its variance is 2 / SUMS · ‖x‖⁴ at most (Charikar, Chen and Farach-Colton 2002). A sum
over blocks is a sum of scaled chi-squares, whose degrees are those of Satterthwaite 1946, An
approximate distribution of estimates of variance components: ν = (Σ q)² / Σ (q² / SUMS).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.projection import SUMS

DEVIATIONS = 1.959964
"""Within so many lies 95 % of a normal distribution: as often, at least, bounds hold the truth."""

EXCESS = 1.5
"""
By what a block's variance may exceed that of spread differences.

In trained networks changes are uneven: of 1,526 single blocks of relatives of the demo's digits,
93.4 % lie within bounds of 1.25, and 95.4 % within those of 1.4 (bench/library/coverage.py).
"""

CLEAR = 36.0
"""Above so many times the rounding of sums to float32 it acts as noise; below, its worst counts."""

WORST = 6.0
"""Of two sums rounded at worst, (u + v)² / 4 ≤ (u² + v²) / 2, over (u² + v²) / 12 in the mean."""


@dataclass(frozen=True)
class Estimate:
    """An L2 distance by sketch."""

    l2: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Half the width of the bounds, relative to the distance; infinite where it is 0."""
        return (self.high - self.low) / (2 * self.l2) if self.l2 > 0 else float("inf")

    def over(self, norm: float) -> "Estimate":
        """Return it relative to a norm, which is no zero."""
        return Estimate(self.l2 / norm, self.low / norm, self.high / norm)


def rounding(sums: NDArray[np.float32]) -> NDArray[np.float64]:
    """
    Return the squared length that rounding to float32 leaves in sums in the mean, per sketch.

    Parameters
    ----------
    sums
        float32 (..., SUMS).
    """
    spacing = np.spacing(np.abs(sums)).astype(np.float64)
    return np.asarray((spacing * spacing).sum(axis=-1) / 12)


def estimate(squares: NDArray[np.float64], noise: NDArray[np.float64]) -> Estimate:
    """
    Return the distance over blocks, with bounds.

    Parameters
    ----------
    squares
        float64 (blocks,): squared lengths of the differences of sketches.
    noise
        float64 (blocks,): what rounding leaves in both sketches, as `rounding` tells it.
    """
    # a block of equal sums has no rounding of its own: equal weights leave equal bits
    counted = squares > 0
    total, left = float(squares.sum()), float(noise[counted].sum())
    if total == 0:
        most = WORST * float(noise.sum()) * _scales(SUMS / EXCESS)[1]
        return Estimate(0.0, 0.0, float(np.sqrt(most)))
    degrees = total**2 / float((squares**2).sum()) * SUMS / EXCESS
    low, high = _scales(degrees)
    point = float(np.sqrt(max(total - left, 0.0)))
    if total > CLEAR * left:
        bounds = max(total * low - left, 0.0), total * high - left
        return Estimate(point, float(np.sqrt(bounds[0])), float(np.sqrt(bounds[1])))
    worst = np.sqrt(WORST * left)
    near, far = max(np.sqrt(total) - worst, 0.0), np.sqrt(total) + worst
    return Estimate(point, float(near * np.sqrt(low)), float(far * np.sqrt(high)))


def _scales(degrees: float) -> tuple[float, float]:
    """Return what an estimated square is multiplied by for its lower and its upper bound."""
    return 1 / _quantile(degrees, DEVIATIONS), 1 / _quantile(degrees, -DEVIATIONS)


def _quantile(degrees: float, deviations: float) -> float:
    """
    Return a quantile of chi-squared over its degrees, of that of a normal distribution.

    Wilson and Hilferty 1931, The distribution of chi-square: good to 1e-5 from 200 degrees on.
    """
    spread = 2 / (9 * degrees)
    return float((1 - spread + deviations * np.sqrt(spread)) ** 3)
