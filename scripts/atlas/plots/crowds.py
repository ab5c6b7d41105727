"""Where so many points crowd that their labels need the place enlarged."""

import numpy as np
from numpy.typing import NDArray

NEEDED = 0.13
"""Square inches that a point with its label takes."""
SHARES = (0.45, 0.3, 0.2, 0.12)
"""Sides of the windows that are tried, as shares of the panel's."""
FEWEST = 24
"""A smaller crowd finds room for its labels around it."""


def crowd_of(points: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.int_] | None:
    """
    Return the points in the panel's most crowded part, None if labels fit everywhere.

    A part is crowded if its labels would need more than half of its area. Of the windows around
    each point the one with the most points too many is taken.
    """
    worst, crowd = 0.0, None
    for share in SHARES:
        half = np.array(size) * share / 2
        offsets = np.abs(points[:, None] - points[None])
        inside = np.all(offsets <= half, axis=2)
        counts = inside.sum(axis=1)
        fullest = int(np.argmax(counts))
        spare = counts[fullest] - float(np.prod(2 * half)) / NEEDED / 2
        if counts[fullest] >= FEWEST and spare > worst:
            worst, crowd = spare, np.flatnonzero(inside[fullest])
    return crowd
