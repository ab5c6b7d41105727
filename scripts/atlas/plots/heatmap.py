"""Clustered heatmap: every distance of a matrix, near models beside one another."""

from math import ceil

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from atlas.plots import style
from atlas.plots.cells import PRINTED, Cells, cells_of, colour_map, draw_cells, span_of
from atlas.plots.context import Context
from atlas.plots.layout import Page, draw_entry, entry_width, number_width, open_page
from atlas.plots.marks import Mark, add_line
from atlas.plots.order import Leaves, leaves_of
from atlas.plots.style import ACCENT, FAINT, IDENTICAL, SMALL, SOFT, text_width
from atlas.plots.ticks import readable, round_ticks
from atlas.plots.words import component_title, counted, measure_of, significant
from atlas.relations.matrices import Matrix

SMALLEST_CELL = 0.135
"""Height in inches of a cell that still has room for a label of 8 points beside it."""


def draw(matrix: Matrix) -> Figure:
    """Draw the heatmap."""
    with style.applied():
        context = Context.of(matrix)
        leaves = leaves_of(matrix)
        cells = cells_of(matrix, leaves.order)
        return _draw(context, leaves, cells)


def _draw(context: Context, leaves: Leaves, cells: Cells) -> Figure:
    size = len(context.matrix)
    cell = _cell_size(cells)
    entries = [context.entry(row) for row in leaves.order]
    numbers = number_width(entries)
    levels = ceil((numbers + 0.05) / cell)
    top = levels * 0.15 + 0.05
    branches = 0.9 if leaves.merges is not None else 0.0
    right = branches + size * cell + 0.12
    scale = 0.75 if np.isfinite(cells.values).any() else 0.0
    page = open_page(
        title=_title(context.matrix, cells),
        subtitle=context.subtitle(_scale(context.matrix, cells), _order(context.matrix, leaves)),
        width=right + entry_width(entries, numbers),
        height=top + size * cell + scale,
        legend=context.legend(*_marks(context, cells)),
        notes=context.notes(),
    )
    axes = page.axes(branches, top, size * cell, size * cell)
    draw_cells(axes, cells, cell)
    for place, entry in enumerate(entries):
        draw_entry(page, right, top + (place + 0.5) * cell, entry, numbers)
        y = top - 0.1 - 0.15 * (place % levels)
        x = branches + (place + 0.5) * cell
        page.write(x, y, str(entry.number), ha="center", color=SOFT)
        if place % levels:
            _tick(page, x, y + 0.065, top - 0.02)
    if leaves.merges is not None:
        _draw_branches(page, leaves, branches, top, cell)
    if scale:
        _draw_scale(page, context, cells, branches, top + size * cell + 0.2, size * cell)
    return page.figure


def _tick(page: Page, x: float, start: float, end: float) -> None:
    add_line(
        page.canvas, [page.left + x] * 2, [page.top + start, page.top + end], color=FAINT, lw=0.5
    )


def _cell_size(cells: Cells) -> float:
    """Return a cell's side in inches: wide enough for its number, or just for the labels."""
    if len(cells.values) > PRINTED:
        return max(SMALLEST_CELL, min(0.24, 7.0 / len(cells.values)))
    shown = cells.values[np.isfinite(cells.values)]
    widest = max((text_width(significant(value, 3), SMALL) for value in shown), default=0.0)
    return max(0.34, widest + 0.12)


def _title(matrix: Matrix, cells: Cells) -> str:
    component, models = component_title(matrix), counted(len(matrix), "model")
    shown = cells.values[np.isfinite(cells.values)]
    off_diagonal = cells.missing.size - len(matrix)
    if cells.missing.sum() == off_diagonal:
        return f"{component}: none of the {models} could be compared"
    if not len(shown):
        fact = "identical" if cells.identical.any() and not cells.zero.any() else "at distance 0"
        some = "all pairs that were compared" if cells.missing.any() else f"all {models}"
        return f"{component}: {some} are {fact}"
    span = f"{significant(shown.min(), 3)} to {significant(shown.max(), 3)}"
    if significant(shown.min(), 3) == significant(shown.max(), 3):
        span = significant(shown.max(), 3)
    return f"{component}: {models}, {measure_of(matrix).title} {span}{_zero_pairs(cells)}"


def _zero_pairs(cells: Cells) -> str:
    """Return how many pairs lie outside the span because they have no distance."""
    identical, zero = int(cells.identical.sum()) // 2, int(cells.zero.sum()) // 2
    parts = [f"{counted(identical, 'pair')} identical"] if identical else []
    parts += [f"{counted(zero, 'pair')} at 0"] if zero else []
    return "".join(f", {part}" for part in parts)


def _scale(matrix: Matrix, cells: Cells) -> str:
    return "log colour scale" if np.isfinite(cells.values).any() else ""


def _order(matrix: Matrix, leaves: Leaves) -> str:
    if matrix.order is not None:
        return "models in the group's common order"
    return "average linkage, optimal leaf order" if leaves.merges is not None else ""


def _marks(context: Context, cells: Cells) -> list[Mark]:
    marks = []
    if cells.identical.any():
        marks.append(Mark("identical weights", IDENTICAL, "="))
    if cells.zero.any():
        meaning = (
            "0: identical or never compared"
            if context.matrix.ambiguous_zeros
            else "0: equal values, stored differently"
        )
        marks.append(Mark(meaning, IDENTICAL, "0"))
    if cells.missing.any():
        marks.append(Mark("not compared", shape="hatched"))
    if cells.partial.any():
        marks.append(Mark("compared in part", ACCENT, "corner"))
    return marks


def _draw_branches(page: Page, leaves: Leaves, width: float, top: float, cell: float) -> None:
    """Draw the clustering left of the heatmap, heights on a linear scale."""
    lines = leaves.branches()
    highest = max((x for line in lines for x, _ in line), default=0.0) or 1.0
    room = width - 0.12
    segments = [
        [
            (
                page.left + width - 0.05 - room * height / highest,
                page.top + top + (place + 0.5) * cell,
            )
            for height, place in line
        ]
        for line in lines
    ]
    page.canvas.add_collection(LineCollection(segments, colors=SOFT, linewidths=0.7))


def _draw_scale(
    page: Page, context: Context, cells: Cells, x: float, y: float, width: float
) -> None:
    low, high = span_of(cells.values)
    width = max(min(width, 4.0), 2.2)
    axes = page.axes(x, y, width, 0.13)
    bar = Colorbar(axes, ScalarMappable(LogNorm(low, high), colour_map()), orientation="horizontal")
    bar.outline.set_visible(False)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(cells, width)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 3)))
    axes.tick_params(length=2.5, width=0.6)
    measure = measure_of(context.matrix)
    bar.set_label(f"{measure.title}, log scale: dark is close", fontsize=SMALL, color=SOFT)


def _ticks(cells: Cells, width: float) -> list[float]:
    """Return round numbers on the colour scale, else the smallest and the largest distance."""
    low, high = span_of(cells.values)
    ticks = round_ticks(low, high)
    if len(ticks) < 3:
        ticks = [float(np.nanmin(cells.values)), float(np.nanmax(cells.values))]
    return readable(ticks, low, high, width)
