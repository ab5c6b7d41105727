"""Map: the distances scaled to two axes, with the shortest tree through the models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.context import Context
from atlas.plots.layout import Page, draw_key, open_page
from atlas.plots.marks import Mark, add_line
from atlas.plots.nodes import Nodes, nodes_of
from atlas.plots.parts import Frame, Part, parts_of
from atlas.plots.placement import Label, place
from atlas.plots.points import (
    TEXT_HEIGHT,
    Panel,
    Texts,
    draw_lines,
    draw_panel,
    labelled,
    names_key,
    texts_to_try,
    twin_mark,
)
from atlas.plots.style import FAINT, INK, SMALL, SOFT, text_width
from atlas.plots.ticks import round_below
from atlas.plots.words import component_title, counted, measure_of, significant
from atlas.relations.matrices import Matrix
from atlas.relations.scaling import Scaling, classical_scaling, spanning_tree

LEFT, HEAD, FOOT = 0.55, 0.26, 0.5
"""Inches left of, above and below a panel, for its ticks and axis titles."""
BESIDE = 0.3
"""Inches between two parts side by side."""
WIDEST = 9.5
"""Inches up to which parts stand side by side."""
TREE = "#9aa3b0"


@dataclass(frozen=True, eq=False)
class View:
    """One panel of the map, and the names of the parts that are enlarged below it."""

    part: Part
    frame: Frame
    panel: Panel
    letters: tuple[Label, ...]
    """One per part that is enlarged."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the panel."""
        return self.panel.width, self.panel.height


def draw(matrix: Matrix) -> Figure:
    """Draw the map."""
    with style.applied():
        context = Context.of(matrix)
        nodes = nodes_of(matrix)
        if len(nodes.members) < 2:
            return context.no_distances_page("map")
        return _draw(context, nodes, classical_scaling(metric_of(matrix, nodes)))


def metric_of(matrix: Matrix, nodes: Nodes) -> NDArray[np.float64]:
    """Return distances that can be Euclidean: for 1 - cosine, the chord between directions."""
    if measure_of(matrix).is_similarity:
        return np.asarray(np.sqrt(2 * nodes.distances))
    return nodes.distances


def _views(points: NDArray[np.float64], tree: NDArray[np.int_], texts: Texts) -> list[View] | None:
    """Return the whole map and the parts of it that are enlarged, None if one is too full."""
    views = [_view(points, tree, texts, part) for part in parts_of(points)]
    return [view for view in views if view] if all(views) else None


def _view(
    points: NDArray[np.float64], tree: NDArray[np.int_], texts: Texts, part: Part
) -> View | None:
    """Label a panel, in a larger frame if it is too full; names are not worth a larger one."""
    for factor in (1.0,) if texts.are_names else (1.0, 1.25, 1.6, 2.0, 3.0):
        larger = part.frame.grown(factor)
        inches = larger.inches(points)
        windows = np.array([larger.window(detail.frame) for detail in part.details])
        panel = labelled(
            inches,
            texts,
            (larger.width, larger.height),
            lines=inches[tree],
            shown=part.labelled,
            obstacles=windows.reshape(-1, 4),
        )
        letters = None if panel is None else _letters(panel, part, windows.reshape(-1, 4))
        if panel is not None and letters is not None:
            return View(part, larger, panel, tuple(letters))
    return None


def _letters(panel: Panel, part: Part, windows: NDArray[np.float64]) -> list[Label] | None:
    """Return places for the parts' names beside their windows, None if there is no room."""
    discs = np.column_stack([panel.points - panel.radius, panel.points + panel.radius])
    names = np.array([label.box for label in panel.labels]).reshape(-1, 4)
    return place(
        windows[:, [2, 1]],
        [(text_width(detail.letter, SMALL, "bold"), TEXT_HEIGHT) for detail in part.details],
        bounds=(0.03, 0.03, panel.width - 0.03, panel.height - 0.03),
        radius=0.0,
        obstacles=np.vstack([discs, names, windows]),
    )


def _draw(context: Context, nodes: Nodes, scaling: Scaling) -> Figure:
    tree = np.array(spanning_tree(nodes.distances))
    tried = ((texts, _views(scaling.points, tree, texts)) for texts in texts_to_try(context, nodes))
    texts, views = next((texts, views) for texts, views in tried if views)
    corners, width, height = _arranged(views)
    key = None if texts.are_names else names_key(context, nodes, height)
    page = open_page(
        title=_title(context, nodes, scaling),
        subtitle=context.subtitle(*_quality(scaling)),
        width=width + (0.35 + key.width if key else 0.0),
        height=max(height, key.height if key else 0.0),
        legend=context.legend(*_marks(context, nodes, views)),
        notes=[
            *_spots_note(nodes, views),
            *context.left_out_note(nodes.left_out, "for want of distances to the others"),
            *context.notes(nodes.shown()),
        ],
    )
    if key:
        draw_key(page, width + 0.35, 0.0, key)
    for view, corner in zip(views, corners, strict=True):
        if view is views[0]:
            _draw_axes(page, context, scaling, view.frame, corner)
        else:
            _draw_box(page, context, view, corner, view.frame.scale / views[0].frame.scale)
        lines = view.panel.points[tree]
        draw_lines(page, lines, view.size, corner=corner, colour=TREE, width=1.1)
        _draw_windows(page, view, corner)
        draw_panel(page, context, nodes, view.panel, texts, corner=corner)
    return page.figure


def _arranged(views: Sequence[View]) -> tuple[list[tuple[float, float]], float, float]:
    """Return each panel's corner, and width and height of all: parts in rows below the whole."""
    corners = [(LEFT, HEAD)]
    x, y = LEFT, HEAD + views[0].panel.height + FOOT + HEAD
    width = LEFT + views[0].panel.width
    limit, tallest = max(width, WIDEST), 0.0
    for view in views[1:]:
        if x > LEFT and x + view.panel.width > limit:
            x, y, tallest = LEFT, y + tallest + FOOT + HEAD, 0.0
        corners.append((x, y))
        width = max(width, x + view.panel.width)
        tallest = max(tallest, view.panel.height)
        x += view.panel.width + BESIDE
    bottom = max(y + view.panel.height for (_, y), view in zip(corners, views, strict=True))
    return corners, width, bottom + FOOT


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


def _marks(context: Context, nodes: Nodes, views: Sequence[View]) -> list[Mark]:
    marks = [Mark("minimum spanning tree", TREE, "line"), *twin_mark(context, nodes)]
    if any(view.part.details for view in views):
        marks.append(Mark("A: enlarged below", SOFT, "frame"))
    return marks


def _spots_note(nodes: Nodes, views: Sequence[View]) -> list[str]:
    """Tell of points that no enlargement parts, and how far apart they are."""
    spots = [spot for view in views for spot in view.panel.spots if len(spot) > 1]
    if not spots:
        return []
    farthest = max(float(nodes.distances[np.ix_(spot, spot)].max()) for spot in spots)
    number = counted(len(spots), "label")
    verb = "names" if len(spots) == 1 else "name"
    return [
        f"{number} with commas {verb} models that fall on one spot of these two axes, though they"
        f" are up to {significant(farthest, 3)} apart."
    ]


def _draw_axes(
    page: Page, context: Context, scaling: Scaling, frame: Frame, corner: tuple[float, float]
) -> None:
    axes = page.axes(*corner, frame.width, frame.height)
    axes.set_zorder(-1)
    axes.set_xlim(*frame.limits(0))
    axes.set_ylim(*frame.limits(1))
    axes.grid(color=FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5, width=0.6)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    page.write(corner[0], corner[1] - 0.13, _axis_title(context, scaling, 1))
    axes.set_xlabel(_axis_title(context, scaling, 0), fontsize=SMALL)


def _axis_title(context: Context, scaling: Scaling, axis: int) -> str:
    return (
        f"Axis {axis + 1}: {100 * scaling.explained[axis]:.1f} % of the variance ({_unit(context)})"
    )


def _unit(context: Context) -> str:
    measure = measure_of(context.matrix)
    return "chord between directions" if measure.is_similarity else measure.title


def _draw_box(
    page: Page, context: Context, view: View, corner: tuple[float, float], factor: float
) -> None:
    """Draw the frame of an enlarged part, its name, and a bar of a round distance."""
    start: Any = (page.left + corner[0], page.top + corner[1])
    page.canvas.add_patch(Rectangle(start, *view.size, fill=False, ec=FAINT, lw=0.8, zorder=1))
    title = f"{view.part.letter}, enlarged {significant(factor, 2)} times"
    page.write(corner[0], corner[1] - 0.13, title, weight="bold")
    length = round_below(0.3 * view.panel.width / view.frame.scale)
    end = corner[0] + length * view.frame.scale
    y = corner[1] + view.panel.height + 0.16
    across = [page.left + corner[0], page.left + end]
    add_line(page.canvas, across, [page.top + y] * 2, color=INK, lw=1.6, solid_capstyle="butt")
    page.write(end + 0.1, y, f"{_unit(context)} of {significant(length, 3)}", color=SOFT)


def _draw_windows(page: Page, view: View, corner: tuple[float, float]) -> None:
    """Frame the parts that are enlarged, and write their names beside them."""
    for detail, label in zip(view.part.details, view.letters, strict=True):
        left, top, right, bottom = view.frame.window(detail.frame)
        start: Any = (page.left + corner[0] + left, page.top + corner[1] + top)
        page.canvas.add_patch(
            Rectangle(start, right - left, bottom - top, fill=False, ec=INK, lw=0.8, zorder=4.8)
        )
        page.write(
            corner[0] + label.left, corner[1] + label.centre[1], detail.letter, weight="bold"
        )
