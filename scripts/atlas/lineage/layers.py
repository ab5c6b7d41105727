"""Lay a lineage out in layers: boxes of models, and the ways of the edges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from atlas.lineage.graph import MERGE, SAME, Edge, Lineage
from atlas.plots.layout import LINE, wrapped
from atlas.plots.style import SMALL, text_width

WIDEST = 1.75
"""Inches of a box's text; longer labels are broken into lines."""
MOST_LINES = 3
MOST_NAMES = 4
"""Models of the same weights that a box names; more are counted."""
CROWD = 5
"""So many leaves that hang on one model by the same kind of edge stand in one box."""
COLUMN = 40
"""Names in a column of such a box, at most."""
EVEN = 12
"""Up to so many boxes stand below one another; more stand from left to right."""
PAD = 0.07
ROW = SMALL * LINE / 72


@dataclass(frozen=True)
class Box:
    """A model, models of the same weights, or leaves that hang on one model alike."""

    models: tuple[str, ...]
    columns: tuple[tuple[tuple[str, bool], ...], ...]
    """Columns of lines, each with whether it names the model itself."""
    is_missing: bool = False
    is_crowd: bool = False
    is_base: bool = False
    """Whether the base is among its models."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        widths = [max(map(self.width_of, column)) for column in self.columns]
        rows = max(map(len, self.columns))
        return sum(widths) + 0.15 * (len(widths) - 1) + 2 * PAD + 0.04, rows * ROW + 2 * PAD

    def width_of(self, line: tuple[str, bool]) -> float:
        """Return the inches of a line."""
        text, is_name = line
        return text_width(text, SMALL, self.weight_of(is_name))

    def weight_of(self, is_name: bool) -> str:
        """Return the weight of a line's letters: bold where it names the base."""
        return "bold" if self.is_base and is_name and not self.is_crowd else "normal"


@dataclass(frozen=True)
class Way:
    """The way of an edge, or of several alike, through the picture."""

    kind: str
    is_decided: bool
    text: str
    points: npt.NDArray[np.float64] = field(repr=False)
    """Of a chain of cubic Bézier curves, from the parent: shape (3 k + 1, 2), inches."""
    tip: tuple[float, float] | None
    """Where the arrow ends; None without one."""
    place: tuple[float, float] | None
    """The centre of the text."""


@dataclass(frozen=True)
class Layout:
    """Where all stands: inches from the top left corner, y downwards."""

    boxes: tuple[Box, ...]
    centres: npt.NDArray[np.float64]
    ways: tuple[Way, ...]
    width: float
    height: float
    alone: tuple[str, ...]
    """Models without an edge, which are not drawn."""


def layout(
    lineage: Lineage, edges: Sequence[Edge], texts: Mapping[Edge, str], base: str | None = None
) -> Layout | None:
    """
    Lay out some edges of a lineage and the models at their ends; None where there are none.

    Parameters
    ----------
    texts
        What stands beside edges.
    base
        The model that is drawn as the others' base.
    """
    leader = {edge.child: edge.parent for edge in edges if edge.kind in SAME}
    for model in sorted(leader):
        leader[model] = _led(model, leader)
    shown = [edge for edge in edges if edge.kind not in SAME]
    ends = {one for edge in edges for one in (edge.parent, edge.child)}
    alone = tuple(node.id for node in lineage.nodes if node.id not in ends)
    if not ends:
        return None
    crowds = _crowds(shown, leader, texts)
    of_crowd = {model: key for key, models in crowds.items() for model in models}
    labels = {node.id: node.label for node in lineage.nodes}
    missing = {node.id for node in lineage.nodes if node.missing}
    boxes: list[Box] = []
    number: dict[str, int] = {}
    for model in sorted({leader.get(one, one) for one in ends}):
        if model in number:
            continue
        if model in of_crowd:
            models = crowds[of_crowd[model]]
            boxes.append(replace(_crowd(models, labels), is_base=base in models))
        else:
            models = (model, *sorted(one for one, first in leader.items() if first == model))
            box = _box(models, labels, model in missing)
            boxes.append(replace(box, is_base=base in models))
        number |= dict.fromkeys(models, len(boxes) - 1)
    return _laid_out(boxes, shown, number, leader, texts, alone)


def _led(model: str, leader: Mapping[str, str]) -> str:
    seen = {model}
    while model in leader and leader[model] not in seen:
        model = leader[model]
        seen.add(model)
    return model


Key = tuple[str, str, bool, str]


def _crowds(
    edges: Sequence[Edge], leader: Mapping[str, str], texts: Mapping[Edge, str]
) -> dict[Key, tuple[str, ...]]:
    """Return leaves that hang on one model by the same kind of edge, where there are many."""
    parents: dict[str, list[Edge]] = {}
    has_children = {leader.get(edge.parent, edge.parent) for edge in edges} | set(leader.values())
    for edge in edges:
        parents.setdefault(edge.child, []).append(edge)
    found: dict[Key, list[str]] = {}
    for child, own in sorted(parents.items()):
        if len(own) == 1 and child not in has_children and own[0].kind != MERGE:
            edge = own[0]
            parent = leader.get(edge.parent, edge.parent)
            key = parent, edge.kind, edge.is_decided, texts.get(edge, "")
            found.setdefault(key, []).append(child)
    return {key: tuple(models) for key, models in found.items() if len(models) >= CROWD}


def _box(models: Sequence[str], labels: Mapping[str, str], is_missing: bool) -> Box:
    lines = [(text, True) for text in _lines(labels.get(models[0], models[0]))]
    if is_missing:
        lines.append(("missing", False))
    for other in models[1 : 1 + MOST_NAMES]:
        first, *rest = _lines("= " + labels.get(other, other))
        lines += [(text, False) for text in (first, *rest)]
    if len(models) > 1 + MOST_NAMES:
        lines.append((f"= {len(models) - 1 - MOST_NAMES} more", False))
    return Box(tuple(models), (tuple(lines),), is_missing=is_missing)


def _crowd(models: Sequence[str], labels: Mapping[str, str]) -> Box:
    names = [(_lines(labels.get(one, one), most=1)[0], True) for one in models]
    rows = -(-len(names) // -(-len(names) // COLUMN))
    columns = [tuple(names[start : start + rows]) for start in range(0, len(names), rows)]
    return Box(tuple(models), tuple(columns), is_crowd=True)


def _lines(label: str, most: int = MOST_LINES) -> list[str]:
    lines = wrapped(label, SMALL, WIDEST) or [""]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return lines


def _laid_out(
    boxes: Sequence[Box],
    edges: Sequence[Edge],
    number: Mapping[str, int],
    leader: Mapping[str, str],
    texts: Mapping[Edge, str],
    alone: tuple[str, ...],
) -> Layout:
    # Lazily: rules name pictures while the workflow is parsed.
    import pygraphviz

    drawing = pygraphviz.AGraph(directed=True, strict=False)
    is_upright = len(boxes) <= EVEN
    drawing.graph_attr.update(
        rankdir="TB" if is_upright else "LR", nodesep="0.16", ranksep="0.45", splines="spline",
        # Names of nodes are ours: no label of a model reaches Graphviz.
    )  # fmt: skip
    for at, box in enumerate(boxes):
        width, height = box.size
        drawing.add_node(
            f"n{at}", label="", shape="box", fixedsize="true",
            width=f"{width:.4f}", height=f"{height:.4f}",
        )  # fmt: skip
    drawn: dict[tuple[int, int, str, bool, str], int] = {}
    for edge in edges:
        ends = (number[leader.get(one, one)] for one in (edge.parent, edge.child))
        key = (*ends, edge.kind, edge.is_decided, texts.get(edge, ""))
        drawn.setdefault(key, len(drawn))  # type: ignore[arg-type]
    for (parent, child, _, is_decided, text), at in drawn.items():
        size = f'{text_width(text, SMALL) * 72 + 8:.0f}" HEIGHT="{ROW * 72:.0f}'
        # A table without a letter keeps the text's place free.
        table = f'<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="{size}"><TR><TD></TD></TR></TABLE>'
        room = {"label": f"<{table}>"}
        drawing.add_edge(
            f"n{parent}", f"n{child}", key=f"e{at}", dir="forward" if is_decided else "none",
            arrowsize="0.6", **(room if text else {}),
        )  # fmt: skip
    drawing.layout(prog="dot")
    left, bottom, right, top = map(float, drawing.graph_attr["bb"].split(","))

    def turn(point: tuple[float, float]) -> tuple[float, float]:
        return (point[0] - left) / 72, (top - point[1]) / 72

    centres = np.array(
        [turn(_point(drawing.get_node(f"n{at}").attr["pos"])) for at in range(len(boxes))]
    )
    ways = []
    for (parent, child, kind, is_decided, text), at in drawn.items():
        attributes = drawing.get_edge(f"n{parent}", f"n{child}", key=f"e{at}").attr
        points, tip = _spline(attributes["pos"])
        place = turn(_point(attributes["lp"])) if text and attributes["lp"] else None
        ways.append(
            Way(kind, is_decided, text, np.array([turn(one) for one in points]),
                turn(tip) if tip is not None else None, place)
        )  # fmt: skip
    return Layout(
        tuple(boxes), centres, tuple(ways), (right - left) / 72, (top - bottom) / 72, alone
    )


def _point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def _spline(text: str) -> tuple[list[tuple[float, float]], tuple[float, float] | None]:
    """Return the points of an edge as Graphviz writes them, and where its arrow ends."""
    tip = None
    points = []
    for word in text.split():
        if word.startswith("e,"):
            tip = _point(word[2:])
        elif not word.startswith("s,"):
            points.append(_point(word))
    return points, tip
