"""The notebook's graph: spectral layout with inverse distances as weights, made readable."""

from collections.abc import Sequence
from itertools import combinations

import networkx as nx
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.context import Context
from atlas.plots.layout import Page, draw_key, open_page
from atlas.plots.marks import Mark, add_line
from atlas.plots.nodes import Nodes, nodes_of
from atlas.plots.placement import Label, place
from atlas.plots.points import (
    LEADER,
    TEXT_HEIGHT,
    Panel,
    Texts,
    draw_lines,
    draw_panel,
    labelled,
    names_key,
    panel_side,
    texts_to_try,
    twin_mark,
)
from atlas.plots.style import SMALL, SOFT, text_width
from atlas.plots.words import (
    component_title,
    counted,
    distances_of,
    measure_of,
    partly_compared,
    significant,
    span_text,
)
from atlas.relations.matrices import Matrix
from atlas.relations.scaling import spanning_tree, with_fixed_signs

BORDER = 0.5
SHAPE = np.array([1.12, 0.85])
"""Width and height of a panel, as shares of the side of a square one."""
OTHER = "#dfe4ea"
TREE = "#8d97a5"
EVERY_EDGE = 40
"""Up to so many nodes all edges are drawn and the tree's labelled; of more, only the tree's."""
SPREAD = 24
"""Of more nodes, the layout's places are mixed with their ranks."""
CLOSEST, CLOSE = 0.26, 0.13
"""Inches to which few points, and many, that fall on one another are moved apart."""


def draw(matrix: Matrix) -> Figure:
    """Draw the graph."""
    with style.applied():
        context = Context.of(matrix)
        nodes = nodes_of(matrix)
        if len(nodes.members) < 2:
            return context.no_distances_page("graph")
        return _draw(context, nodes)


def positions(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the spectral layout of the complete graph with weights 1/distance: shape (N, 2).

    Weights are relative to the smallest distance, which leaves the layout as it is and keeps
    them in range. Signs are fixed, so that the picture does not depend on the eigensolver.
    """
    if len(distances) == 2:  # networkx puts both of two nodes on one spot
        return np.array([[1.0, 0.0], [-1.0, 0.0]])
    graph = nx.Graph()
    graph.add_nodes_from(range(len(distances)))
    smallest = distances[distances > 0].min()
    for a, b in combinations(range(len(distances)), 2):
        graph.add_edge(a, b, weight=smallest / distances[a, b])
    layout = nx.spectral_layout(graph)
    return with_fixed_signs(np.array([layout[node] for node in range(len(distances))]))


def _draw(context: Context, nodes: Nodes) -> Figure:
    size = len(nodes.members)
    edges = spanning_tree(nodes.distances)
    lengths = [significant(nodes.distances[a, b], 4) for a, b in edges]
    tree = np.array(edges)
    layout = _spread(positions(nodes.distances))
    tried = ((texts, _panel(layout, tree, texts)) for texts in texts_to_try(context, nodes))
    texts, panel = next((texts, panel) for texts, panel in tried if panel)
    labels = _edge_labels(panel, tree, lengths)
    remarks = _remarks(nodes, edges, lengths) if labels is None else []
    key = None
    if remarks or not texts.are_names:
        key = names_key(context, nodes, panel.height, remarks)
    page = open_page(
        title=_title(context, nodes),
        subtitle=context.subtitle(_layout_text(size), _lengths_text(labels)),
        width=panel.width + (0.35 + key.width if key else 0.0),
        height=max(panel.height, key.height if key else 0.0),
        legend=context.legend(*_marks(context, nodes)),
        notes=[
            *context.left_out_note(nodes.left_out, "for want of distances to the others"),
            *context.notes(nodes.shown()),
        ],
    )
    if key:
        draw_key(page, panel.width + 0.35, 0.0, key)
    extent = (panel.width, panel.height)
    if size <= EVERY_EDGE:
        pairs = np.array(list(combinations(range(size), 2)))
        draw_lines(page, panel.points[pairs], extent, colour=OTHER, width=0.8)
    draw_lines(page, panel.points[tree], extent, colour=TREE, width=1.3)
    draw_panel(page, context, nodes, panel, texts)
    if labels is not None:
        _draw_edge_labels(page, labels, lengths)
    return page.figure


def _panel(layout: NDArray[np.float64], tree: NDArray[np.int_], texts: Texts) -> Panel | None:
    """Label the nodes, in a larger panel if it is too full; names are not worth a larger one."""
    for factor in (1.0,) if texts.are_names else (1.0, 1.25, 1.6, 2.0, 3.0):
        size = SHAPE * panel_side(len(layout)) * factor
        points = _apart(_in_panel(layout, size), size)
        panel = labelled(points, texts, (size[0], size[1]), lines=points[tree])
        if panel is not None:
            return panel
    return None


def _spread(layout: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Mix the places of many points with their ranks along each axis.

    The layout has no unit, and one far model presses all others into a spot: ranks keep who is
    next to whom and give the others room.
    """
    if len(layout) <= SPREAD:
        return layout
    ranks = layout.round(9).argsort(axis=0, kind="stable").argsort(axis=0) / (len(layout) - 1)
    low, high = layout.min(axis=0), layout.max(axis=0)
    return np.asarray(0.3 * (layout - low) / (high - low) + 0.7 * ranks)


def _in_panel(layout: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = layout.min(axis=0), layout.max(axis=0)
    span = np.where(high - low > 1e-9, high - low, 1.0)
    share = np.where(high - low > 1e-9, (layout - low) / span, 0.5)
    share[:, 1] = 1 - share[:, 1]
    return np.asarray(BORDER + share * (size - 2 * BORDER))


def _apart(points: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Push points that lie on one another apart until each can be seen."""
    angles = np.arange(len(points)) * 2.399963  # the golden angle: no two directions alike
    closest = CLOSEST if len(points) <= SPREAD else CLOSE
    nudges = 1e-4 * np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(200):
        points = np.clip(points, BORDER, size - BORDER) + nudges
        offsets = points[:, None] - points[None]
        gaps = np.linalg.norm(offsets, axis=2)
        np.fill_diagonal(gaps, np.inf)
        lacking = np.maximum(closest - gaps, 0.0)
        if not lacking.any():
            break
        points = points + (offsets / gaps[..., None] * (lacking / 2)[..., None]).sum(axis=1)
    return points


def _edge_labels(
    panel: Panel, tree: NDArray[np.int_], lengths: Sequence[str]
) -> list[Label] | None:
    """Return places for the lengths near the middles of their edges, None if too many."""
    if len(panel.points) > EVERY_EDGE:
        return None
    names = [label.box for label in panel.labels]
    discs = np.column_stack([panel.points - panel.radius, panel.points + panel.radius])
    return place(
        panel.points[tree].mean(axis=1),
        [(text_width(length, SMALL), TEXT_HEIGHT) for length in lengths],
        bounds=(0.0, 0.0, panel.width, panel.height),
        radius=0.0,
        obstacles=np.vstack([np.array(names), discs]),
    )


def _remarks(nodes: Nodes, edges: Sequence[tuple[int, int]], lengths: Sequence[str]) -> list[str]:
    """Return, per node, the tree's edge that leads to it from the side of the first node."""
    remarks = [""] * len(nodes.members)
    for (parent, child), length in zip(edges, lengths, strict=True):
        remarks[child] = f"– {nodes.members[parent][0] + 1}: {length}"
    return remarks


def _layout_text(size: int) -> str:
    text = "spectral layout, weights 1/distance"
    return text if size <= SPREAD else f"{text}, crowded axes stretched by rank"


def _lengths_text(labels: Sequence[Label] | None) -> str:
    where = "in the list" if labels is None else "on its edges"
    return f"minimum spanning tree, its distances {where}"


def _draw_edge_labels(page: Page, labels: Sequence[Label], lengths: Sequence[str]) -> None:
    for label, length in zip(labels, lengths, strict=True):
        halo = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        page.write(label.left, label.centre[1], length, color=SOFT, zorder=3.5, bbox=halo)
        if label.leader:
            (x, y), (to_x, to_y) = label.leader
            add_line(
                page.canvas,
                [page.left + x, page.left + to_x],
                [page.top + y, page.top + to_y],
                color=LEADER,
                lw=0.5,
                zorder=3,
            )


def _title(context: Context, nodes: Nodes) -> str:
    drawn = counted(sum(map(len, nodes.members)), "model")
    values = distances_of(context.matrix)
    shown = nodes.shown() & (values > 0)
    whole = shown & ~partly_compared(context.matrix)
    span = span_text(values[whole if whole.any() else shown], 4)
    title = measure_of(context.matrix).title + ("" if whole.any() else " in part")
    return f"{component_title(context.matrix)}: graph of {drawn}, {title} {span}"


def _marks(context: Context, nodes: Nodes) -> list[Mark]:
    marks = [Mark("minimum spanning tree", TREE, "line")]
    if len(nodes.members) <= EVERY_EDGE:
        marks.append(Mark("other pairs", OTHER, "line"))
    return [*marks, *twin_mark(context, nodes)]
