"""Map: the distances scaled to two axes, with the shortest tree through the models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.context import Context
from atlas.plots.crowds import crowd_of
from atlas.plots.layout import Page, draw_key, open_page
from atlas.plots.marks import Mark
from atlas.plots.nodes import Nodes, nodes_of
from atlas.plots.points import (
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
from atlas.plots.style import FAINT, SMALL, SOFT
from atlas.plots.words import component_title, counted, measure_of, significant
from atlas.relations.matrices import Matrix
from atlas.relations.scaling import Scaling, classical_scaling, spanning_tree

BORDER = 0.45
"""Inches between the outermost points and the panel's edge."""
LEFT, HEAD, FOOT = 0.55, 0.26, 0.5
"""Inches left of, above and below a panel, for its ticks and axis titles."""
TREE = "#9aa3b0"


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


def frame_of(points: NDArray[np.float64], side: float) -> Frame:
    """Return the frame, no wider or taller than the side in inches, that shows all the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    wide, tall = np.maximum(high - low, 1e-9 * max(float((high - low).max()), 1e-300))
    scale = min((side - 2 * BORDER) / wide, (side - 2 * BORDER) / tall)
    height = float(np.clip(tall * scale + 2 * BORDER, 0.55 * side, side))
    middle = (low + high) / 2
    return Frame(float(scale), (float(middle[0]), float(middle[1])), side, height)


@dataclass(frozen=True, eq=False)
class View:
    """One panel of the map and the frame it shows."""

    frame: Frame
    panel: Panel


def draw(matrix: Matrix) -> Figure:
    """Draw the map."""
    with style.applied():
        context = Context.of(matrix)
        nodes = nodes_of(matrix)
        if len(nodes.members) < 2:
            return context.no_distances_page("map")
        return _draw(context, nodes, classical_scaling(_metric(matrix, nodes)))


def _metric(matrix: Matrix, nodes: Nodes) -> NDArray[np.float64]:
    """Return distances that can be Euclidean: for 1 - cosine, the chord between directions."""
    if measure_of(matrix).is_similarity:
        return np.asarray(np.sqrt(2 * nodes.distances))
    return nodes.distances


def _views(points: NDArray[np.float64], tree: NDArray[np.int_], texts: Texts) -> list[View] | None:
    """Return the whole map and, if many points crowd in a part of it, that part enlarged."""
    whole = frame_of(points, panel_side(len(points)))
    crowd = crowd_of(whole.inches(points), (whole.width, whole.height))
    if crowd is None:
        view = _view(points, tree, texts, whole)
        return [view] if view else None
    near = frame_of(points[crowd], panel_side(len(crowd)))
    inside = near.inches(points)
    limits = np.array([near.width, near.height]) - 0.1
    shown = np.flatnonzero(((inside > 0.1) & (inside < limits)).all(axis=1))
    whole = frame_of(points, panel_side(len(points) - len(shown)))
    others = np.setdiff1d(np.arange(len(points)), shown)
    views = [
        _view(points, tree, texts, whole, shown=others, detail=near),
        _view(points, tree, texts, near, shown=shown),
    ]
    return [view for view in views if view] if all(views) else None


def _view(
    points: NDArray[np.float64],
    tree: NDArray[np.int_],
    texts: Texts,
    frame: Frame,
    *,
    shown: NDArray[np.int_] | None = None,
    detail: Frame | None = None,
) -> View | None:
    """Label a panel, in a larger frame if it is too full; names are not worth a larger one."""
    for factor in (1.0,) if texts.are_names else (1.0, 1.25, 1.6, 2.0, 3.0):
        larger = frame.grown(factor)
        inches = larger.inches(points)
        panel = labelled(
            inches,
            texts,
            (larger.width, larger.height),
            lines=inches[tree],
            shown=shown,
            obstacles=None if detail is None else _window(larger, detail)[None],
        )
        if panel is not None:
            return View(larger, panel)
    return None


def _window(frame: Frame, detail: Frame) -> NDArray[np.float64]:
    """Return where the detail lies in the frame: left, top, right, bottom in inches."""
    (left, right), (bottom, top) = detail.limits(0), detail.limits(1)
    return frame.inches(np.array([[left, top], [right, bottom]])).ravel()


def _draw(context: Context, nodes: Nodes, scaling: Scaling) -> Figure:
    tree = np.array(spanning_tree(nodes.distances))
    tried = ((texts, _views(scaling.points, tree, texts)) for texts in texts_to_try(context, nodes))
    texts, views = next((texts, views) for texts, views in tried if views)
    height = sum(HEAD + view.panel.height + FOOT for view in views)
    width = max(view.panel.width for view in views)
    key = None if texts.are_names else names_key(context, nodes, height)
    page = open_page(
        title=_title(context, nodes, scaling),
        subtitle=context.subtitle(*_quality(scaling)),
        width=LEFT + width + (0.35 + key.width if key else 0.0),
        height=max(height, key.height if key else 0.0),
        legend=context.legend(*_marks(context, nodes)),
        notes=[
            *context.left_out_note(nodes.left_out, "for want of distances to the others"),
            *context.notes(nodes.shown()),
        ],
    )
    if key:
        draw_key(page, LEFT + width + 0.35, 0.0, key)
    top = HEAD
    for view in views:
        _draw_axes(page, context, scaling, view.frame, top)
        lines = view.panel.points[tree]
        size = (view.panel.width, view.panel.height)
        draw_lines(page, lines, size, corner=(LEFT, top), colour=TREE, width=1.1)
        draw_panel(page, context, nodes, view.panel, texts, corner=(LEFT, top))
        top += view.panel.height + FOOT + HEAD
    if len(views) > 1:
        _draw_window(page, *views)
    return page.figure


def _title(context: Context, nodes: Nodes, scaling: Scaling) -> str:
    drawn = counted(sum(map(len, nodes.members)), "model")
    share = f"{100 * sum(scaling.explained):.0f} %"
    component = component_title(context.matrix)
    return f"{component}: {drawn} on a map that holds {share} of their variance"


def _quality(scaling: Scaling) -> list[str]:
    sentences = ["classical scaling"]
    if not np.isnan(scaling.shepard):
        sentences.append(f"Shepard correlation {scaling.shepard:.3f}")
    if scaling.negative >= 0.01:
        share = f"{100 * scaling.negative:.0f} %"
        sentences.append(f"not quite Euclidean: negative eigenvalues {share}")
    return sentences


def _marks(context: Context, nodes: Nodes) -> list[Mark]:
    return [Mark("minimum spanning tree", TREE, "line"), *twin_mark(context, nodes)]


def _draw_axes(page: Page, context: Context, scaling: Scaling, frame: Frame, top: float) -> None:
    axes = page.axes(LEFT, top, frame.width, frame.height)
    axes.set_zorder(-1)
    axes.set_xlim(*frame.limits(0))
    axes.set_ylim(*frame.limits(1))
    axes.grid(color=FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5, width=0.6)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    page.write(LEFT, top - 0.13, _axis_title(context, scaling, 1))
    axes.set_xlabel(_axis_title(context, scaling, 0), fontsize=SMALL)


def _axis_title(context: Context, scaling: Scaling, axis: int) -> str:
    measure = measure_of(context.matrix)
    unit = "chord between directions" if measure.is_similarity else measure.title
    return f"Axis {axis + 1}: {100 * scaling.explained[axis]:.1f} % of the variance ({unit})"


def _draw_window(page: Page, whole: View, detail: View) -> None:
    """Frame the enlarged part in the whole map and say how much larger it is below."""
    left, top, right, bottom = _window(whole.frame, detail.frame)
    start: Any = (page.left + LEFT + left, page.top + HEAD + top)
    page.canvas.add_patch(
        Rectangle(start, right - left, bottom - top, fill=False, ec=SOFT, lw=0.8, zorder=3)
    )
    factor = significant(detail.frame.scale / whole.frame.scale, 2)
    y = HEAD + whole.panel.height + FOOT + HEAD - 0.13
    text = f"The framed part, enlarged {factor} times"
    page.write(LEFT + detail.panel.width, y, text, ha="right", weight="bold")
