"""Points with labels that do not overlap: names beside them, or numbers and a list of names."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from atlas.plots.context import Context
from atlas.plots.layout import Key, Page, key_of
from atlas.plots.marks import Mark, add_marker, draw_dot
from atlas.plots.nodes import Nodes
from atlas.plots.placement import Label, place
from atlas.plots.style import FAINT, INK, SMALL, text_width

NAMED = 16
"""Up to so many points are labelled with names if these are short enough."""
WIDEST_NAME = 2.4
TOGETHER = 0.5
"""Points nearer than this share of their radius fall on one spot."""
MANY = 60
"""From so many points on they are drawn smaller."""
TEXT_HEIGHT = SMALL * 1.25 / 72
LEADER = "#7f8997"


@dataclass(frozen=True, eq=False)
class Panel:
    """Points and labels in inches from the panel's top left corner."""

    points: NDArray[np.float64]
    width: float
    height: float
    radius: float
    spots: tuple[tuple[int, ...], ...]
    """Nodes that are labelled in this panel, those together that fall on one spot."""
    texts: tuple[str, ...]
    """One per spot."""
    labels: tuple[Label, ...]
    """One per spot."""


def radius_of(points: int) -> float:
    """Return the radius in inches of each of so many points."""
    return 0.055 if points < MANY else 0.038


def panel_side(points: int) -> float:
    """Return the side in inches of a panel with room for so many labelled points."""
    return float(max(5.6, 0.78 * points**0.5))


@dataclass(frozen=True)
class Texts:
    """What is written beside each node's point."""

    texts: tuple[str, ...]
    weights: tuple[str, ...]
    """Bold for the base."""
    are_names: bool

    def joined(self, spot: Sequence[int]) -> str:
        """Return the text of nodes that fall on one spot."""
        return ", ".join(self.texts[node] for node in spot)

    def weight(self, spot: Sequence[int]) -> str:
        """Return the weight of nodes that fall on one spot: bold where the base is among them."""
        return "bold" if any(self.weights[node] == "bold" for node in spot) else "normal"

    def size(self, spot: Sequence[int]) -> tuple[float, float]:
        """Return width and height in inches of a spot's text."""
        return text_width(self.joined(spot), SMALL, self.weight(spot)), TEXT_HEIGHT


def texts_of(context: Context, nodes: Nodes, *, named: bool) -> Texts:
    """Return the nodes' labels: names of models, or their numbers in the roster."""
    labels, ids, base = context.matrix.labels, context.matrix.ids, context.matrix.base
    return Texts(
        texts=tuple(
            " = ".join(labels[row] for row in rows) if named else _numbers(rows)
            for rows in nodes.members
        ),
        weights=tuple(
            "bold" if any(ids[row] == base for row in rows) else "normal" for rows in nodes.members
        ),
        are_names=named,
    )


def _numbers(rows: Sequence[int]) -> str:
    shown = [str(row + 1) for row in rows]
    return " = ".join(shown) if len(shown) <= 4 else f"{shown[0]} = … ({len(shown)})"


def texts_to_try(context: Context, nodes: Nodes) -> list[Texts]:
    """Return the labels that a panel may bear, the best first."""
    names = texts_of(context, nodes, named=True)
    numbers = texts_of(context, nodes, named=False)
    widest = max(names.size([node])[0] for node in range(len(nodes.members)))
    return [names, numbers] if len(nodes.members) <= NAMED and widest <= WIDEST_NAME else [numbers]


def labelled(
    points: NDArray[np.float64],
    texts: Texts,
    size: tuple[float, float],
    *,
    lines: NDArray[np.float64],
    shown: NDArray[np.int_] | None = None,
    obstacles: NDArray[np.float64] | None = None,
) -> Panel | None:
    """
    Return a panel of points in inches with labels beside the shown ones, None if too full.

    Shown points that cover one another almost wholly have one label, which names them all.
    """
    shown = np.arange(len(points)) if shown is None else shown
    hidden = np.setdiff1d(np.arange(len(points)), shown)
    radius = radius_of(len(points))
    discs = np.column_stack([points[hidden] - radius, points[hidden] + radius])
    spots = _spots(points, shown, radius * TOGETHER)
    labels = place(
        points[[spot[0] for spot in spots]],
        [texts.size(spot) for spot in spots],
        bounds=(0.03, 0.03, size[0] - 0.03, size[1] - 0.03),
        radius=radius,
        lines=lines,
        obstacles=discs if obstacles is None else np.vstack([discs, obstacles]),
        strangers=points[hidden],
    )
    if labels is None:
        return None
    written = tuple(texts.joined(spot) for spot in spots)
    return Panel(points, *size, radius, tuple(spots), written, tuple(labels))


def _spots(
    points: NDArray[np.float64], shown: NDArray[np.int_], together: float
) -> list[tuple[int, ...]]:
    """Return the shown points by the spot that they fall on, in the order of their first."""
    if not len(shown):
        return []
    gaps = np.linalg.norm(points[shown][:, None] - points[shown], axis=2)
    _, number = connected_components(gaps <= together, directed=False)
    found: dict[int, list[int]] = {}
    for node, spot in zip(shown.tolist(), number.tolist(), strict=True):
        found.setdefault(spot, []).append(node)
    return [tuple(nodes) for nodes in found.values()]


def names_key(context: Context, nodes: Nodes, height: float, remarks: Sequence[str] = ()) -> Key:
    """Return the list that says which number is which model; remarks has one text per node."""
    twins = {row: rows[0] for rows in nodes.members for row in rows[1:]}
    remark = {rows[0]: text for rows, text in zip(nodes.members, remarks, strict=False)}
    drawn = sorted(row for rows in nodes.members for row in rows)
    entries = [
        context.entry(row, f"= {twins[row] + 1}" if row in twins else remark.get(row, ""))
        for row in drawn
    ]
    return key_of(entries, height)


def twin_mark(context: Context, nodes: Nodes) -> list[Mark]:
    """Return the legend of points that stand for several models, if there are any."""
    if all(len(rows) == 1 for rows in nodes.members):
        return []
    return [Mark(f"several models {context.sameness()}", INK, "twin")]


def draw_panel(
    page: Page,
    context: Context,
    nodes: Nodes,
    panel: Panel,
    texts: Texts,
    *,
    corner: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Draw the points that lie in the panel, and the labels with their leaders."""
    start = np.array([page.left + corner[0], page.top + corner[1]])
    leaders = [np.array(label.leader) + start for label in panel.labels if label.leader]
    page.canvas.add_collection(LineCollection(leaders, colors=LEADER, linewidths=0.5, zorder=3))
    size = np.array([panel.width, panel.height])
    for rows, point in zip(nodes.members, panel.points, strict=True):
        if ((point >= 0) & (point <= size)).all():
            _draw_point(page, context, rows, point + start, panel.radius)
    for spot, text, label in zip(panel.spots, panel.texts, panel.labels, strict=True):
        page.write(
            corner[0] + label.left,
            corner[1] + label.centre[1],
            text,
            weight=texts.weight(spot),
            zorder=5,
        )


def _draw_point(
    page: Page, context: Context, rows: Sequence[int], point: NDArray[np.float64], radius: float
) -> None:
    colour = context.colours.models[rows[0]]
    base = any(context.matrix.ids[row] == context.matrix.base for row in rows)
    size = 2 * radius * 72
    spot = (float(point[0]), float(point[1]))
    draw_dot(page.canvas, spot, size, colour, ring=base, zorder=4.5 if base else 4.0)
    if len(rows) > 1:
        add_marker(
            page.canvas,
            point[0],
            point[1],
            "o",
            ms=size * 0.32,
            mfc="white",
            mec="none",
            zorder=4.6,
        )


def draw_lines(
    page: Page,
    lines: NDArray[np.float64],
    size: tuple[float, float],
    *,
    corner: tuple[float, float] = (0.0, 0.0),
    colour: str = FAINT,
    width: float = 1.0,
) -> None:
    """Draw segments given in inches from the panel's corner, cut off at the panel's edges."""
    start = np.array([page.left + corner[0], page.top + corner[1]])
    collection = LineCollection(lines + start, colors=colour, linewidths=width, zorder=2)
    page.canvas.add_collection(collection)
    frame = Rectangle(tuple(start), *size, transform=page.canvas.transData)
    collection.set_clip_path(frame)
