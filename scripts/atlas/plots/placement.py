"""Where labels go beside points so that none overlaps another label or a point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIRECTIONS = 24
STEP = 0.05
"""Inches between one ring of candidate places and the next."""
RINGS = 44
NEAREST = 60
"""So many free places are weighed against one another."""
GAP = 0.025
"""Inches kept free around every label."""
LOOSE = 0.11
"""Inches from a point on from which a line leads to its label."""
CLEARLY = 0.02
"""A label nearer to another point than so many inches behind its own has a line to its own."""
SEEN = 0.07
"""Inches that such a line should have at least, to be seen."""

Boxes = NDArray[np.float64]
"""Shape (K, 4): left, top, right, bottom in inches, y downwards."""


@dataclass(frozen=True)
class Label:
    """A label's box, and the point it belongs to."""

    left: float
    top: float
    width: float
    height: float
    leader: tuple[tuple[float, float], tuple[float, float]] | None
    """Line from the point to the box, None where it is clear whose the label is without one."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True)
class Others:
    """Points that a label might be taken for, and by how many inches they are larger than its."""

    points: NDArray[np.float64]
    larger: NDArray[np.float64]


def place(
    points: NDArray[np.float64],
    sizes: Sequence[tuple[float, float]],
    *,
    bounds: tuple[float, float, float, float],
    radius: float | Sequence[float],
    lines: NDArray[np.float64] | None = None,
    obstacles: NDArray[np.float64] | None = None,
    strangers: NDArray[np.float64] | None = None,
) -> list[Label] | None:
    """
    Return a place for the label of each point, or None if one finds no room.

    Parameters
    ----------
    points
        Shape (K, 2) in inches, y downwards.
    sizes
        Width and height of each label in inches.
    bounds
        Left, top, right and bottom that no label may leave.
    radius
        Inches around each point that no label may enter; 0 lets a label lie on its point. One
        for all, or one for each.
    lines
        Shape (M, 2, 2): segments that labels avoid where they can.
    obstacles
        Shape (P, 4): boxes that no label may enter.
    strangers
        Shape (S, 2): further points, which a label might be taken for theirs.

    Each label takes the best free place on rings around its point: near, off the lines, nearer to
    its own point than to any other, and with a leader that crosses no label. Points in the thick
    of others choose first.
    """
    radii = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points))
    discs = np.column_stack([points - radii[:, None], points + radii[:, None]])[radii > 0]
    taken = discs if obstacles is None else np.vstack([discs, obstacles])
    strangers = np.empty((0, 2)) if strangers is None else strangers
    samples = _samples(lines)
    placed: dict[int, Label] = {}
    leaders = np.empty((0, 2))
    for index in _most_crowded_first(points):
        own = float(radii[index])
        # Of each, how much nearer its edge is than that of a point as large as this one.
        larger = np.append(np.delete(radii, index) - own, np.zeros(len(strangers)))
        others = Others(np.vstack([np.delete(points, index, axis=0), strangers]), larger)
        label = _best(points[index], sizes[index], bounds, own, taken, samples, leaders, others)
        if label is None:
            return None
        placed[index] = label
        taken = np.vstack([taken, [label.box]])
        if label.leader is not None:
            leaders = np.vstack([leaders, _along(np.array(label.leader)[None])])
    return [placed[index] for index in range(len(points))]


def _most_crowded_first(points: NDArray[np.float64]) -> list[int]:
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    crowding = (1 / (gaps + 0.2)).sum(axis=1)
    return [int(index) for index in np.argsort(-crowding.round(9), kind="stable")]


def _best(
    point: NDArray[np.float64],
    size: tuple[float, float],
    bounds: tuple[float, float, float, float],
    radius: float,
    taken: Boxes,
    samples: NDArray[np.float64],
    leaders: NDArray[np.float64],
    others: Others,
) -> Label | None:
    boxes, gaps = _candidates(point, size, radius)
    inside = (boxes[:, 0] >= bounds[0]) & (boxes[:, 1] >= bounds[1])
    inside &= (boxes[:, 2] <= bounds[2]) & (boxes[:, 3] <= bounds[3])
    boxes, gaps = boxes[inside], gaps[inside]
    free = ~_overlap(boxes, taken).any(axis=1)
    near = np.flatnonzero(free)[np.argsort(gaps[free], kind="stable")][:NEAREST]
    if not len(near):
        return None
    boxes, cost = boxes[near], gaps[near]
    cost = cost + 0.06 * np.minimum(_holds(boxes, _close(samples, boxes)).sum(axis=1), 4)
    cost = cost + 0.25 * _holds(boxes, _close(leaders, boxes)).any(axis=1)
    ends = _ends(boxes, point)
    cost = cost + 0.3 * _crossings(point, ends, taken)
    unclear = _unclear(boxes, point, others)
    is_short = np.linalg.norm(ends - point, axis=1) < radius + SEEN
    cost = cost + 0.15 * unclear + 0.3 * (unclear & is_short)
    best = int(np.argmin(cost))
    return _label(boxes[best], point, radius, is_unclear=bool(unclear[best]))


def _unclear(boxes: Boxes, point: NDArray[np.float64], others: Others) -> NDArray[np.bool_]:
    """Tell of each box whether it, or its middle, lies nearer to another point than to its own."""
    if not len(others.points):
        return np.zeros(len(boxes), dtype=bool)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    own = np.linalg.norm(_ends(boxes, point) - point, axis=1)
    low, high = boxes[:, None, :2] - others.points, others.points - boxes[:, None, 2:]
    gaps = np.linalg.norm(np.maximum(np.maximum(low, high), 0.0), axis=2) - others.larger
    middle = np.linalg.norm(middles - point, axis=1)
    away = np.linalg.norm(middles[:, None] - others.points, axis=2) - others.larger
    gaps, away = gaps.min(axis=1), away.min(axis=1)
    return np.asarray((gaps < own + CLEARLY) | (away < middle))


def _close(spots: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """Return the spots that lie within the hull of all boxes."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return np.asarray(spots[((spots > low) & (spots < high)).all(axis=1)])


def _candidates(
    point: NDArray[np.float64], size: tuple[float, float], radius: float
) -> tuple[Boxes, NDArray[np.float64]]:
    """Return boxes on rings around the point and how far each lies from it, near ones first."""
    width, height = size
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    cosine, sine = np.cos(angles), -np.sin(angles)
    distances = radius + GAP + STEP * np.arange(RINGS)
    touch = np.column_stack([cosine, sine])[None] * distances[:, None, None] + point
    # The box hangs on the point of the ring by the side or corner that faces the centre.
    left = touch[..., 0] - width * (1 - np.clip(cosine * 1.6, -1, 1)) / 2
    top = touch[..., 1] - height * (1 - np.clip(sine * 1.6, -1, 1)) / 2
    gaps = np.repeat(distances - distances[0], DIRECTIONS)
    gaps = gaps + np.tile(0.02 * (1 - cosine) + 0.005 * np.abs(sine), RINGS)
    left, top = left.ravel(), top.ravel()
    if radius == 0:
        left, top = np.append(point[0] - width / 2, left), np.append(point[1] - height / 2, top)
        gaps = np.append(-0.05, gaps)
    return np.column_stack([left, top, left + width, top + height]), gaps


def _overlap(boxes: Boxes, taken: Boxes) -> NDArray[np.bool_]:
    one, other = boxes[:, None], taken[None]
    apart = (one[..., 0] >= other[..., 2] + GAP) | (one[..., 2] <= other[..., 0] - GAP)
    apart |= (one[..., 1] >= other[..., 3] + GAP) | (one[..., 3] <= other[..., 1] - GAP)
    return np.asarray(~apart)


def _holds(boxes: Boxes, spots: NDArray[np.float64]) -> NDArray[np.bool_]:
    x, y = spots[None, :, 0], spots[None, :, 1]
    return np.asarray(
        (x > boxes[:, :1]) & (x < boxes[:, 2:3]) & (y > boxes[:, 1:2]) & (y < boxes[:, 3:4])
    )


def _ends(boxes: Boxes, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the place of each box nearest to the point."""
    return np.column_stack(
        [np.clip(point[0], boxes[:, 0], boxes[:, 2]), np.clip(point[1], boxes[:, 1], boxes[:, 3])]
    )


def _crossings(
    point: NDArray[np.float64], ends: NDArray[np.float64], taken: Boxes
) -> NDArray[np.float64]:
    """Count, per end, the boxes that the leader from the point runs through."""
    share = np.linspace(0.1, 0.95, 12)[None, :, None]
    spots = point + (ends - point)[:, None] * share
    own = _holds(taken, point[None])[:, 0]
    inside = _holds(taken[~own], spots.reshape(-1, 2))
    count = inside.reshape(-1, *spots.shape[:2]).any(axis=2).sum(axis=0)
    return np.asarray(count, dtype=np.float64)


def _label(
    box: NDArray[np.float64], point: NDArray[np.float64], radius: float, *, is_unclear: bool
) -> Label:
    end = _ends(box[None], point)[0]
    distance = float(np.linalg.norm(end - point))
    leader = None
    if distance > radius + LOOSE or (is_unclear and distance > radius):
        start = point + (end - point) * (radius / distance)
        leader = ((float(start[0]), float(start[1])), (float(end[0]), float(end[1])))
    left, top, right, bottom = (float(side) for side in box)
    return Label(left, top, right - left, bottom - top, leader)


def _samples(lines: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return np.empty((0, 2)) if lines is None or not len(lines) else _along(lines)


def _along(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places along the segments, 24 of each: shape (24 M, 2)."""
    share = np.linspace(0.0, 1.0, 24)[None, :, None]
    return (lines[:, :1] + (lines[:, 1:] - lines[:, :1]) * share).reshape(-1, 2)
