"""Line: the distance of every model from one, in the order of making or the nearest first."""

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from atlas.plots import style
from atlas.plots.context import Context
from atlas.plots.layout import draw_rows, entry_width, number_width, open_page, row_height, thinned
from atlas.plots.marks import Mark
from atlas.plots.style import FAINT, INK, SMALL, SOFT, text_width
from atlas.plots.ticks import readable, round_ticks
from atlas.plots.words import (
    component_title,
    counted,
    distances_of,
    measure_of,
    partly_compared,
    shared_in_part,
    significant,
)
from atlas.relations.matrices import Matrix

WIDTH = 4.2
"""Of the panel, in inches."""
LINE = "#9aa3b0"
TALL = 40
"""Of more rows, the scale is written above them too."""
FAR_APART = 2.5
"""From so many decades between the smallest and the largest distance on, the scale is log."""


def draw(matrix: Matrix) -> Figure:
    """Draw the distances from the matrix's reference: as told, the base, or the first model."""
    with style.applied():
        context = Context.of(matrix)
        if not matrix.compared().any():
            return context.no_distances_page("line")
        return _draw(context, matrix.index(matrix.origin))


def _draw(context: Context, reference: int) -> Figure:
    matrix = context.matrix
    distances = distances_of(matrix)[reference]
    order = _order(matrix, reference, distances)
    entries = [context.entry(row) for row in order]
    written = _value_texts(matrix, reference, distances)
    values = [written[row] for row in order]
    numbers = number_width(entries)
    left = entry_width(entries, numbers) + 0.15
    height = max(row_height(len(matrix)) * len(matrix), 0.9)
    step = height / len(matrix)
    head = 0.22 if len(matrix) > TALL else 0.0
    page = open_page(
        title=_title(context, reference, distances),
        subtitle=context.subtitle(_scale_text(distances), _order_text(matrix)),
        width=left + WIDTH + 0.1 + max(text_width(value, SMALL) for value in values),
        height=head + height + 0.45,
        legend=context.legend(*_marks(context, reference, distances)),
        notes=[*context.notes(context.pairs_of(reference)), *context.thinned_note(step)],
    )
    axes = page.axes(left, head, WIDTH, height)
    _draw_axes(axes, context, distances)
    _draw_points(axes, context, reference, distances, order, min(26**0.5, 58 * step))
    draw_rows(page, 0.0, head, entries, step, numbers)
    for place in range(0, len(values), thinned(step)):
        y = head + (place + 0.5) * step
        page.write(left + WIDTH + 0.1, y, values[place], color=SOFT)
    return page.figure


def _order(matrix: Matrix, reference: int, distances: NDArray[np.float64]) -> list[int]:
    """Return the rows from top to bottom: what was not compared comes last."""
    rows = range(len(matrix))
    if matrix.ordered:
        return list(rows)
    far = np.where(np.isnan(distances), np.inf, distances)
    return sorted(rows, key=lambda row: (row != reference, far[row]))


def _order_text(matrix: Matrix) -> str:
    return "models in the order of making" if matrix.ordered else "the nearest first"


def _title(context: Context, reference: int, distances: NDArray[np.float64]) -> str:
    component, label = component_title(context.matrix), context.matrix.labels[reference]
    others = np.arange(len(distances)) != reference
    known = distances[others & ~np.isnan(distances)]
    if not len(known):
        return f"{component}: {label} was compared with no other model"
    whole = others & ~np.isnan(distances) & ~partly_compared(context.matrix)[reference]
    far = int(np.nanargmax(np.where(whole if whole.any() else others, distances, -1.0)))
    if known.max() == 0:
        return f"{component}: {counted(len(known), 'model')} at distance 0 from {label}"
    return f"{component}: farthest from {label} is {context.matrix.labels[far]}"


def _is_log(distances: NDArray[np.float64]) -> bool:
    positive = distances[distances > 0]
    return len(positive) > 0 and bool(np.ptp(np.log10(positive)) > FAR_APART)


def _scale_text(distances: NDArray[np.float64]) -> str:
    return "log scale, 0 at its left end" if _is_log(distances) else "linear scale"


def _marks(context: Context, reference: int, distances: NDArray[np.float64]) -> list[Mark]:
    marks = [Mark("the reference", INK, "diamond")]
    if _gaps(context, reference, distances).any():
        marks.append(Mark("gap: not compared", FAINT, "hatched"))
    return marks


def _gaps(context: Context, reference: int, distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the rows that were not compared with the reference, not even in part."""
    return np.asarray(np.isnan(distances) & ~shared_in_part(context.matrix)[reference])


def _value_texts(matrix: Matrix, reference: int, distances: NDArray[np.float64]) -> list[str]:
    """Return what is written beside each row of the matrix."""
    partial, shared = partly_compared(matrix)[reference], shared_in_part(matrix)[reference]
    texts = []
    for row, distance in enumerate(distances.tolist()):
        if row == reference:
            texts.append("reference")
        elif shared[row]:
            texts.append("= in part")
        elif np.isnan(distance):
            texts.append("not compared")
        elif matrix.identical[reference, row]:
            texts.append("= identical")
        else:
            texts.append(significant(distance, 4) + (" in part" if partial[row] else ""))
    return texts


def _draw_axes(axes: Any, context: Context, distances: NDArray[np.float64]) -> None:
    size = len(distances)
    axes.set_ylim(size, 0)
    axes.set_yticks([])
    axes.spines["left"].set_color(FAINT)
    axes.grid(axis="x", color=FAINT, lw=0.4, alpha=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=2.5, width=0.6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    if _is_log(distances):
        _scale_log(axes, distances[distances > 0])
    else:
        _scale_linear(axes, distances[distances > 0])
    measure = measure_of(context.matrix)
    axes.set_xlabel(f"{measure.title} ({measure.unit})", fontsize=SMALL)
    if size > TALL:
        axes.tick_params(top=True, labeltop=True)


def _scale_linear(axes: Any, positive: NDArray[np.float64]) -> None:
    highest = float(positive.max()) if len(positive) else 1.0
    axes.set_xlim(-0.02 * highest, highest * 1.05)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if not len(positive):
        axes.set_xticks([0.0])


def _scale_log(axes: Any, positive: NDArray[np.float64]) -> None:
    """Set a log scale with room for 0, which it does not have, at its left end."""
    low, high, zero = float(positive.min()), float(positive.max()), _zero(positive)
    left, right = zero * (low / zero) ** -0.25, high * (low / zero) ** 0.4
    ticks = readable(round_ticks(low, high), left, right, WIDTH)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.xaxis.set_major_locator(FixedLocator([zero, *ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value < low / 1.01 else significant(value, 3))
    )


def _zero(positive: NDArray[np.float64]) -> float:
    """Return where a log scale of these distances shows 0."""
    decades = float(np.ptp(np.log10(positive)))
    return float(positive.min() * 10 ** (-0.12 * decades))


def _draw_points(
    axes: Any,
    context: Context,
    reference: int,
    distances: NDArray[np.float64],
    order: list[int],
    points: float,
) -> None:
    """Draw a dot of so many points for each model, and hatch the rows without one."""
    gaps = _gaps(context, reference, distances)[order]
    if _is_log(distances):
        distances = np.where(distances == 0, _zero(distances[distances > 0]), distances)
    along, rows = distances[order], np.arange(len(order)) + 0.5
    low, high = axes.get_xlim()
    if context.matrix.ordered:
        axes.plot(along, rows, color=LINE, lw=1.2, zorder=2)
    else:
        start = float(distances[reference])
        stems = [[(start, row), (end, row)] for row, end in zip(rows, along, strict=True)]
        collection = LineCollection(stems, colors=FAINT, linewidths=1.2, zorder=2)
        axes.add_collection(collection, autolim=False)
    axes.scatter(
        along,
        rows,
        s=points**2,
        c=[context.colours.models[row] for row in order],
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
        clip_on=False,
    )
    place = ([distances[reference]], [order.index(reference) + 0.5])
    axes.plot(*place, "D", ms=6, mfc="white", mec=INK, mew=1.3, zorder=4, clip_on=False)
    for row in np.flatnonzero(gaps):
        axes.add_patch(
            Rectangle(
                (low, row + 0.1),
                high - low,
                0.8,
                facecolor="none",
                edgecolor=FAINT,
                hatch="/////",
                lw=0.0,
                zorder=1,
            )
        )
