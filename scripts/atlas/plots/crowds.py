"""Where so many points crowd that their labels need the place enlarged."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

NEEDED = 0.13
"""Square inches that a point with its label takes."""
SHARES = (0.45, 0.3, 0.2, 0.12)
"""Sides of the windows that are tried, as shares of the panel's."""
MANY = 24
"""A smaller crowd finds room for its labels around it, unless its points touch."""
FEWEST = 3
"""So many points that touch are a crowd."""


def crowds_of(
    points: NDArray[np.float64],
    among: NDArray[np.int_],
    size: tuple[float, float],
    radius: float,
) -> list[NDArray[np.int_]]:
    """
    Return the sets of points that crowd, the worst first; they may overlap.

    Parameters
    ----------
    points
        Shape (K, 2) in inches.
    among
        The points that count.
    size
        Width and height of the panel in inches.
    radius
        Of a point, in inches.
    """
    crowd = _fullest(points[among], size)
    touching = _touching(points[among], radius)
    return [among[part] for part in ([crowd] if crowd is not None else []) + touching]


def _fullest(points: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.int_] | None:
    """
    Return the points in the panel's most crowded part, None if labels fit everywhere.

    A part is crowded if its labels would need more than half of its area. Of the windows around
    each point the one with the most points too many is taken.
    """
    worst, crowd = 0.0, None
    for share in SHARES if len(points) >= MANY else ():
        half = np.array(size) * share / 2
        offsets = np.abs(points[:, None] - points[None])
        inside = np.all(offsets <= half, axis=2)
        counts = inside.sum(axis=1)
        fullest = int(np.argmax(counts))
        spare = counts[fullest] - float(np.prod(2 * half)) / NEEDED / 2
        if counts[fullest] >= MANY and spare > worst:
            worst, crowd = spare, np.flatnonzero(inside[fullest])
    return crowd


def _touching(points: NDArray[np.float64], radius: float) -> list[NDArray[np.int_]]:
    """Return the sets of points that touch one another, the largest first."""
    if len(points) < FEWEST:
        return []
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    _, number = connected_components(gaps < 2 * radius, directed=False)
    sets = [np.flatnonzero(number == each) for each in range(int(number.max()) + 1)]
    return sorted((part for part in sets if len(part) >= FEWEST), key=lambda part: -len(part))
