"""A colour scale that gives near and far distances their share, whatever the extremes are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INTERVALS = 8
"""Between quantiles: each eighth of the pairs gets an eighth of the colours, if it can."""
NARROWEST = float(np.log(1.2))
"""Distances nearer to one another than by this factor, as a log, never get all of the colours."""


@dataclass(frozen=True, eq=False)
class Spread:
    """
    Distances at their quantiles on a scale from 0 to 1.

    On a plain log scale one tiny pair presses all others into one colour; on a scale of ranks
    alone, noise looks like structure. So each part of the scale is as wide as it has pairs, but no
    steeper than a log scale over a factor of 1.2; what is left is dealt out as on a log scale.
    """

    logs: NDArray[np.float64]
    """Logs of the distances where the scale bends, rising."""
    shares: NDArray[np.float64]
    """Where they stand on the scale: from 0 to 1, rising."""

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Spread":
        """Return the scale of these distances; those that are NaN do not count."""
        logs = np.log(values[np.isfinite(values)])
        knots = np.unique(np.quantile(logs, np.linspace(0.0, 1.0, INTERVALS + 1)))
        lacking = NARROWEST - float(np.ptp(knots))
        if lacking > 0:  # nearly one value: a scale of its own noise would mislead
            ends = np.array([knots[0] - lacking / 2, knots[-1] + lacking / 2])
            return cls(ends, np.array([0.0, 1.0]))
        steps = np.diff(knots)
        ranks = np.searchsorted(np.sort(logs), knots, side="right") / len(logs)
        gains = np.minimum(np.diff(ranks), steps / NARROWEST)
        gains = gains + (1.0 - gains.sum()) * steps / steps.sum()
        shares = np.concatenate([[0.0], np.cumsum(gains)])
        return cls(knots, shares / shares[-1])

    def place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where distances stand on the scale, from 0, the nearest, to 1; NaN stays NaN."""
        return np.interp(np.log(values), self.logs, self.shares)

    def value(self, share: float) -> float:
        """Return the distance at a place of the scale."""
        return float(np.exp(np.interp(share, self.shares, self.logs)))
