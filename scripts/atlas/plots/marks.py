"""Lines, markers and dots on a canvas in inches, and the signs of legends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from atlas.plots.style import FAINT, INK, SMALL, SOFT


def add_line(canvas: Any, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
    """
    Add a line to a canvas, as its `plot` would.

    The canvas's limits are fixed, and `plot` would spend most of its time on finding new ones.
    """
    canvas.add_artist(Line2D(x, y, **look))


def add_marker(canvas: Any, x: float, y: float, marker: str, **look: Any) -> None:
    """Add a marker to a canvas; ms is its size in points, mfc and mec its colours."""
    add_line(canvas, [x], [y], marker=marker, linestyle="none", **look)


def draw_dot(
    canvas: Any, spot: tuple[float, float], size: float, colour: str, *, ring: bool, zorder: float
) -> None:
    """Draw a model's dot, so many points wide; the base's has a ring around it."""
    if ring:
        look: dict[str, Any] = {"mfc": "white", "mec": INK, "mew": 1.1}
        add_marker(canvas, *spot, "o", ms=size + 1.6, zorder=zorder, **look)
    inner = size - 1.6 if ring else size
    add_marker(canvas, *spot, "o", ms=inner, mfc=colour, mec="white", mew=0.5, zorder=zorder)


@dataclass(frozen=True)
class Mark:
    """An entry of a legend: a sign and what it means."""

    meaning: str
    colour: str = INK
    shape: str = "dot"
    """dot, ring, twin (a white heart in a dot), diamond, line, bar, hatched, frame, corner or
    one character."""


def draw_mark(canvas: Any, x: float, y: float, mark: Mark) -> None:
    """Draw a legend's sign and its meaning on a canvas in inches."""
    centre = x + 0.08
    if mark.shape in ("dot", "ring", "twin", "diamond"):
        _draw_point(canvas, centre, y, mark)
    elif mark.shape in ("line", "bar"):
        look = {"lw": 1.4 if mark.shape == "line" else 6.0, "solid_capstyle": "butt"}
        add_line(canvas, [x, x + 0.17], [y, y], color=mark.colour, **look)
    else:
        _draw_cell(canvas, x, y, mark)
    canvas.text(x + 0.24, y, mark.meaning, fontsize=SMALL, color=SOFT, va="center", ha="left")


def _draw_point(canvas: Any, x: float, y: float, mark: Mark) -> None:
    face = mark.colour if mark.shape in ("dot", "twin") else "white"
    marker = "D" if mark.shape == "diamond" else "o"
    size = 5 if mark.shape == "diamond" else 6
    add_marker(canvas, x, y, marker, ms=size, mfc=face, mec=mark.colour, mew=1.2)
    if mark.shape == "twin":
        add_marker(canvas, x, y, "o", ms=2.4, mfc="white", mec="none")


def _draw_cell(canvas: Any, x: float, y: float, mark: Mark) -> None:
    plain = mark.shape in ("hatched", "corner", "frame")
    canvas.add_patch(
        Rectangle(
            (x, y - 0.06),
            0.17,
            0.12,
            facecolor="white" if plain else mark.colour,
            edgecolor=INK if mark.shape == "frame" else FAINT,
            hatch="/////" if mark.shape == "hatched" else None,
            lw=0.5,
        )
    )
    if mark.shape == "corner":
        corner = [(x + 0.11, y - 0.06), (x + 0.17, y - 0.06), (x + 0.17, y)]
        canvas.add_patch(Polygon(corner, facecolor=mark.colour, lw=0))
    if len(mark.shape) == 1:
        canvas.text(
            x + 0.085,
            y,
            mark.shape,
            color=INK if mark.colour == "white" else "white",
            fontsize=SMALL,
            weight="bold",
            va="center",
            ha="center",
        )
