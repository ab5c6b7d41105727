"""What parts of a map are enlarged, and how panels of inches show a scaling's units."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas.plots.crowds import crowds_of
from atlas.plots.points import panel_side, radius_of

BORDER = 0.45
"""Inches between the outermost points and the panel's edge."""
MOST = 7
"""So many panels a map has at most; of more crowds, the largest are enlarged."""
LEAST = 2.0
"""A part is not worth a panel of its own if it is enlarged less than so many times."""
FINEST = 1e-5
"""A part smaller than this share of the map is one spot: scaling knows no finer places."""


@dataclass(frozen=True)
class Frame:
    """How a panel's inches show the scaling's units, alike on both axes."""

    scale: float
    """Inches per unit."""
    centre: tuple[float, float]
    """The point of the scaling in the middle of the panel."""
    width: float
    height: float

    def inches(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points in inches from the panel's top left corner, y downwards."""
        offset = (points - np.array(self.centre)) * self.scale
        return np.stack(
            [self.width / 2 + offset[..., 0], self.height / 2 - offset[..., 1]], axis=-1
        )

    def limits(self, axis: int) -> tuple[float, float]:
        """Return the units at the panel's two edges."""
        half = (self.width, self.height)[axis] / 2 / self.scale
        return self.centre[axis] - half, self.centre[axis] + half

    def grown(self, factor: float) -> "Frame":
        """Return a larger panel of the same part of the scaling."""
        return Frame(self.scale * factor, self.centre, self.width * factor, self.height * factor)

    def window(self, detail: "Frame") -> NDArray[np.float64]:
        """Return where another frame lies in this one: left, top, right, bottom in inches."""
        (left, right), (bottom, top) = detail.limits(0), detail.limits(1)
        return self.inches(np.array([[left, top], [right, bottom]])).ravel()


def frame_of(points: NDArray[np.float64], side: float) -> Frame:
    """Return the frame, no wider or taller than the side in inches, that shows all the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    wide, tall = np.maximum(high - low, 1e-9 * max(float((high - low).max()), 1e-300))
    scale = min((side - 2 * BORDER) / wide, (side - 2 * BORDER) / tall)
    height = float(np.clip(tall * scale + 2 * BORDER, 0.55 * side, side))
    middle = (low + high) / 2
    return Frame(float(scale), (float(middle[0]), float(middle[1])), side, height)


@dataclass(eq=False)
class Part:
    """One panel of a map: the whole, or a part of it enlarged."""

    frame: Frame
    labelled: NDArray[np.int_]
    """The points that have their labels in this panel: those of no part of it."""
    letter: str = ""
    """What the part is called; the whole has no name."""
    details: list["Part"] = field(default_factory=list)


def parts_of(points: NDArray[np.float64]) -> list[Part]:
    """
    Return the panels of a map: the whole, then every part where points crowd.

    Parts of parts come after these, so that each crowd is seen at a scale of its own.
    """
    every = np.arange(len(points))
    finest = FINEST * float(np.ptp(points, axis=0).max())
    parts = [Part(frame_of(points, panel_side(len(points))), every)]
    radius = radius_of(len(points))
    for part in parts:  # which grows while it is walked
        frame = part.frame
        size = (frame.width, frame.height)
        for crowd in crowds_of(frame.inches(points), part.labelled, size, radius):
            mine = np.intersect1d(crowd, part.labelled)
            extent = float(np.ptp(points[mine], axis=0).max()) if len(mine) else 0.0
            if len(parts) == MOST or extent <= finest:
                continue
            near = frame_of(points[mine], detail_side(len(mine)))
            if near.scale < LEAST * frame.scale or _covers(frame, near, part.details):
                continue
            inside = near.inches(points[part.labelled])
            limits = np.array([near.width, near.height]) - 0.1
            seen = ((inside > 0.1) & (inside < limits)).all(axis=1)
            detail = Part(near, part.labelled[seen], chr(ord("A") + len(parts) - 1))
            part.labelled = part.labelled[~seen]
            part.details.append(detail)
            parts.append(detail)
    whole = parts[0]
    if whole.details:  # fewer labels need less room
        whole.frame = frame_of(points, panel_side(len(whole.labelled)))
    return parts


def detail_side(points: int) -> float:
    """Return the side in inches of a panel of so many points of a map."""
    return float(min(panel_side(points), max(2.6, 1.3 * points**0.5)))


def _covers(frame: Frame, near: Frame, details: list[Part]) -> bool:
    """Tell whether a part's window would lie on that of another."""
    left, top, right, bottom = frame.window(near)
    return any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in (frame.window(detail.frame) for detail in details)
    )
