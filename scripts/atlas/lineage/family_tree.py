"""The picture of a lineage: a family tree in layers, with several parents a child."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve

from atlas.lineage.graph import CAST, COMPONENT, LORA, MERGE, PRUNE, SAME, TUNE, Edge, Lineage
from atlas.lineage.layers import PAD, ROW, Box, Layout, Way, layout
from atlas.plots import style
from atlas.plots.layout import Page, open_page
from atlas.plots.marks import Mark
from atlas.plots.style import INK, PALE, SMALL, SOFT
from atlas.plots.words import counted, titled

COLOURS = {
    TUNE: "#332288",
    LORA: "#aa4499",
    MERGE: "#117733",
    CAST: "#b07d12",
    PRUNE: "#4a9cc4",
    COMPONENT: "#cc6677",
}
"""Kinds of edges to colours of Paul Tol's "muted" scheme, two of them darker, for lines."""
MOST_ALONE = 30
"""Models without an edge that are named; more are counted."""
MOST_COMPONENTS = 2


def edges_of(lineage: Lineage, component: str | None) -> list[Edge]:
    """Return the edges of the whole, or of a component."""
    return [edge for edge in lineage.edges if component is None or component in edge.components]


def components_that_differ(lineage: Lineage) -> list[str]:
    """Return the components whose family tree is not that of the whole."""
    whole = {(edge.parent, edge.child, edge.kind) for edge in lineage.edges}
    found = []
    for component in sorted({one for edge in lineage.edges for one in edge.components}):
        own = {(edge.parent, edge.child, edge.kind) for edge in edges_of(lineage, component)}
        if own != whole:
            found.append(component)
    return found


def draw(lineage: Lineage, component: str | None = None, *, base: str | None = None) -> Figure:
    """
    Draw a lineage.

    Parameters
    ----------
    component
        Draw the edges of this one alone; None for all.
    base
        The model whose box is marked.
    """
    edges = edges_of(lineage, component)
    parts = {one for edge in lineage.edges for one in edge.components}
    texts = {edge: _text(edge, component, len(parts)) for edge in edges}
    with style.applied():
        found = layout(lineage, edges, texts, base)
        if found is None:
            return _empty(lineage)
        kinds = [kind for kind in COLOURS if any(way.kind == kind for way in found.ways)]
        undecided = any(not way.is_decided for way in found.ways)
        marks = [Mark(kind, COLOURS[kind], "line") for kind in kinds]
        page = open_page(
            title=_title(lineage, component),
            subtitle=_subtitle(edges, undecided),
            width=found.width + 0.1,
            height=found.height + 0.1,
            legend=marks,
            notes=_notes(lineage, found),
        )
        _draw(page, found)
        return page.figure


def _title(lineage: Lineage, component: str | None) -> str:
    what = f", {titled(component)}" if component is not None else ""
    return f"{lineage.group}: what was made from what{what}"


def _subtitle(edges: Sequence[Edge], has_undecided: bool) -> str:
    shown = [edge for edge in edges if edge.kind not in SAME]
    decided = sum(edge.is_decided for edge in shown)
    told = f"{counted(len(shown), 'edge')}, {decided} of them decided; an arrow leads to the child"
    return told + "; dashed: who was first is not decided" * has_undecided


def _notes(lineage: Lineage, found: Layout) -> list[str]:
    notes = []
    if any(" = " in text or text.startswith("= ") for box in found.boxes
           for column in box.columns for text, _ in column):  # fmt: skip
        notes.append("= the same weights, bit for bit, in another file")
    if found.alone:
        names = [lineage.label(one) for one in found.alone[:MOST_ALONE]]
        more = len(found.alone) - len(names)
        told = ", ".join(names) + (f" and {more} more" if more else "")
        notes.append(f"no known relative: {told}")
    return notes


def _empty(lineage: Lineage) -> Figure:
    return open_page(
        title=f"{lineage.group}: what was made from what",
        subtitle="Nothing is known of what any of these models was made from.",
        width=5.0,
        height=0.3,
        notes=list(lineage.findings),
    ).figure


def _text(edge: Edge, component: str | None, parts: int) -> str:
    """Return what stands beside an edge: a merge's weight, and of which components it tells."""
    words = []
    if edge.kind == MERGE:
        words.append(_weight(edge, component))
    if component is None and parts > 1 and edge.kind in (TUNE, LORA, MERGE, COMPONENT):
        names = [titled(one) for one in edge.components]
        if len(names) <= MOST_COMPONENTS:
            words.append(", ".join(names))
    return " ".join(filter(None, words))


def _weight(edge: Edge, component: str | None) -> str:
    numbers = [
        weight for part, blocks in edge.weights if component in (None, part) for _, weight in blocks
    ]
    if not numbers:
        return ""
    low, high = (f"{value:.3g}".replace("-", "−") for value in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


def _draw(page: Page, found: Layout) -> None:
    canvas = page.canvas
    left, top = page.left + 0.05, page.top + 0.05
    for way in found.ways:
        _draw_way(canvas, left, top, way)
    for box, (x, y) in zip(found.boxes, found.centres, strict=True):
        _draw_box(canvas, left + x, top + y, box)


def _draw_way(canvas: Any, left: float, top: float, way: Way) -> None:
    points = way.points + np.array((left, top))
    colour = COLOURS[way.kind]
    codes = [Curve.MOVETO, *[Curve.CURVE4] * (len(points) - 1)]
    look = {} if way.is_decided else {"linestyle": (0, (4, 2.5))}
    canvas.add_patch(
        PathPatch(Curve(points, codes), fc="none", ec=colour, lw=1.3, zorder=2, **look)
    )
    if way.tip is not None:
        tip = (left + way.tip[0], top + way.tip[1])
        canvas.add_patch(Polygon(_head(points[-1], tip), fc=colour, ec=colour, lw=0.6, zorder=2))
    if way.place is not None:
        canvas.text(
            left + way.place[0], top + way.place[1], way.text, fontsize=SMALL, color=colour,
            ha="center", va="center", zorder=4,
            bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.85},
        )  # fmt: skip


def _head(start: Sequence[float], tip: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the corners of an arrow's head."""
    x, y = tip[0] - start[0], tip[1] - start[1]
    return [tip, (start[0] - 0.4 * y, start[1] + 0.4 * x), (start[0] + 0.4 * y, start[1] - 0.4 * x)]


def _draw_box(canvas: Any, x: float, y: float, box: Box) -> None:
    width, height = box.size
    line: dict[str, Any] = {"linestyle": (0, (3, 2))} if box.is_missing else {}
    canvas.add_patch(
        FancyBboxPatch(
            (x - width / 2 + 0.03, y - height / 2 + 0.03), width - 0.06, height - 0.06,
            boxstyle="round,pad=0.03,rounding_size=0.05", zorder=3, lw=1.6 if box.is_base else 0.8,
            fc=PALE if box.is_crowd else "white", ec=INK if box.is_base else SOFT, **line,
        )
    )  # fmt: skip
    start = x - width / 2 + PAD
    for column in box.columns:
        for row, (text, is_name) in enumerate(column):
            canvas.text(
                start + 0.02, y - height / 2 + PAD + (row + 0.5) * ROW, text, fontsize=SMALL,
                color=INK if is_name and not box.is_missing else SOFT,
                ha="left", va="center", zorder=5,
                weight=box.weight_of(is_name),
            )  # fmt: skip
        start += max(map(box.width_of, column)) + 0.15
