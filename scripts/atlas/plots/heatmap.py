"""Clustered heatmap: every distance of a matrix, near models beside one another."""

from math import ceil

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from atlas.plots import style
from atlas.plots.cells import EQUAL_VALUES, Cells, cell_marks, cells_of, draw_cells, print_values
from atlas.plots.colour_bar import BAR, draw_bar
from atlas.plots.context import Context
from atlas.plots.layout import (
    LARGEST,
    Page,
    draw_rows,
    entry_width,
    number_width,
    open_page,
    thinned,
)
from atlas.plots.marks import Mark, add_line
from atlas.plots.order import Leaves, leaves_of
from atlas.plots.spread import Spread
from atlas.plots.strips import draw_strips, strip_marks, strips_head, strips_of, strips_width
from atlas.plots.style import FAINT, SMALL, SOFT, text_width
from atlas.plots.words import component_title, counted, measure_of, significant, span_text
from atlas.relations.matrices import Matrix

SMALLEST_CELL = 0.135
"""Height in inches of a cell that still has room for a label of 8 points beside it."""
PRINTED = 16
"""Up to so many models the distances are printed in the cells."""


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
    step = thinned(cell)
    levels = ceil((numbers + 0.05) / (step * cell))
    strips = strips_of(context.matrix)
    top = max(levels * 0.15 + 0.05, strips_head(strips))
    branches = 0.9 if leaves.merges is not None else 0.0
    # The first column's number may be wider than the column: no strip's title is below it.
    overhang = max(0.0, (numbers - cell) / 2) if strips else 0.0
    left = branches + strips_width(strips) + overhang
    right = left + size * cell + 0.12
    scale = Spread.of(cells.values) if np.isfinite(cells.values).any() else None
    page = open_page(
        title=_title(context.matrix, cells),
        subtitle=context.subtitle(_scale(scale), _order(context.matrix, leaves)),
        width=right + entry_width(entries, numbers),
        height=top + size * cell + (BAR if scale else 0.0),
        legend=context.legend(*strip_marks(strips, context.matrix), *_marks(context, cells)),
        notes=[*context.notes(), *context.thinned_note(cell)],
    )
    axes = page.axes(left, top, size * cell, size * cell)
    draw_cells(axes, cells, scale, width=cell, height=cell)
    if scale is not None and size <= PRINTED:
        print_values(axes, cells, scale)
    models = [context.matrix.ids[row] for row in leaves.order]
    draw_strips(page, strips, models, branches, top, cell)
    draw_rows(page, right, top, entries, cell, numbers)
    for named, place in enumerate(range(0, size, step)):
        y = top - 0.1 - 0.15 * (named % levels)
        x = left + (place + 0.5) * cell
        page.write(x, y, str(entries[place].number), ha="center", color=SOFT)
        if named % levels:
            _tick(page, x, y + 0.065, top - 0.02)
    if leaves.merges is not None:
        _draw_branches(page, leaves, branches, top, cell)
    if scale is not None:
        title = measure_of(context.matrix).title
        draw_bar(page, scale, title, left, top + size * cell + 0.2, size * cell)
    return page.figure


def _tick(page: Page, x: float, start: float, end: float) -> None:
    add_line(
        page.canvas, [page.left + x] * 2, [page.top + start, page.top + end], color=FAINT, lw=0.5
    )


def _cell_size(cells: Cells) -> float:
    """Return a cell's side in inches: wide enough for its number, or just for the labels."""
    if len(cells.values) > PRINTED:
        wanted = max(SMALLEST_CELL, min(0.24, 7.0 / len(cells.values)))
        return min(wanted, LARGEST / len(cells.values))
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
        if cells.shared.any():
            fact = "identical in what was compared"
        some = "all pairs that were compared" if cells.missing.any() else f"all {models}"
        return f"{component}: {some} are {fact}"
    whole = cells.values[np.isfinite(cells.values) & ~cells.partial]
    span = span_text(whole if len(whole) else shown, 3)
    part = "" if len(whole) else " in part"
    return f"{component}: {models}, {measure_of(matrix).title}{part} {span}{_zero_pairs(cells)}"


def _zero_pairs(cells: Cells) -> str:
    """Return how many pairs lie outside the span because they have no distance."""
    identical, zero = int(cells.identical.sum()) // 2, int(cells.zero.sum()) // 2
    parts = [f"{counted(identical, 'pair')} identical"] if identical else []
    parts += [f"{counted(zero, 'pair')} at 0"] if zero else []
    return "".join(f", {part}" for part in parts)


def _scale(scale: Spread | None) -> str:
    return "" if scale is None else "colours at quantiles"


def _order(matrix: Matrix, leaves: Leaves) -> str:
    if matrix.order is not None:
        return "models in the group's common order"
    return "average linkage, optimal leaf order" if leaves.merges is not None else ""


def _marks(context: Context, cells: Cells) -> list[Mark]:
    ambiguous = context.matrix.ambiguous_zeros
    zero = "0: identical or never compared" if ambiguous else EQUAL_VALUES
    return cell_marks([cells], zero)


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
