"""Blocks: how far each block and role of every model is from one model's."""

from collections import Counter

import numpy as np
from matplotlib.figure import Figure

from atlas.measures import SHOWN
from atlas.names.roles import ROLES
from atlas.plots import style
from atlas.plots.cells import EQUAL_VALUES, Cells, cell_marks, draw_cells, grid_cells
from atlas.plots.colour_bar import BAR, draw_bar
from atlas.plots.context import SEPARATOR, Context
from atlas.plots.headings import draw_headings, heading_height, headings_of
from atlas.plots.layout import (
    draw_rows,
    entry_width,
    number_width,
    open_page,
    row_height,
)
from atlas.plots.marks import Mark
from atlas.plots.order import leaves_of
from atlas.plots.spread import Spread
from atlas.plots.strips import draw_strips, strip_marks, strips_head, strips_of, strips_width
from atlas.plots.style import PALE
from atlas.plots.words import component_title, counted, role_title
from atlas.relations.matrices import Matrix
from atlas.relations.moved import MEASURE, Grid, Moved

NARROW, WIDE = 0.2, 0.34
"""Inches of a column, of many and of few."""
BETWEEN = 0.3
"""Inches between the panels of blocks and of roles."""
TITLE_LINE = 0.2


def draw(matrix: Matrix, moved: Moved) -> Figure:
    """
    Draw the panels of blocks and roles of one component side by side, a row for each other model.

    Parameters
    ----------
    matrix
        The component's matrix: its models' order, colours and labels are the picture's.
    moved
        How far the models' parts are from those of one of them.
    """
    with style.applied():
        context = Context.of(matrix)
        order = range(len(matrix)) if matrix.ordered else leaves_of(matrix).order
        rows = [row for row in order if matrix.ids[row] != moved.reference]
        at = {model: place for place, model in enumerate(moved.blocks.rows)}
        places = [at[matrix.ids[row]] for row in rows]
        blocks, roles = moved.blocks.taken(places), moved.roles.taken(places)
        return _draw(context, moved.reference, rows, blocks, roles)


def _draw(context: Context, reference: str, rows: list[int], blocks: Grid, roles: Grid) -> Figure:
    matrix = context.matrix
    entries = [context.entry(row) for row in rows]
    numbers = number_width(entries)
    height = row_height(len(rows))
    width = float(np.clip(3.2 / len(blocks.columns), NARROW, WIDE))
    panels = [
        (grid, grid_cells(grid), headings_of(_names(grid), width)) for grid in (blocks, roles)
    ]
    strips = strips_of(matrix)
    head = TITLE_LINE + max(heading_height(headings) for _, _, headings in panels)
    top = max(head, strips_head(strips))
    left = strips_width(strips)
    right = left + (len(blocks.columns) + len(roles.columns)) * width + BETWEEN + 0.12
    cells = [each for _, each, _ in panels]
    scale = _scale([blocks, roles])
    body = len(rows) * height
    models = [matrix.ids[row] for row in rows]
    origin = matrix.index(reference)
    page = open_page(
        title=_title(context, reference, blocks),
        subtitle=_subtitle(context, reference, scale is not None),
        width=right + entry_width(entries, numbers),
        height=top + body + (BAR if scale else 0.0),
        legend=context.legend(*strip_marks(strips, matrix), *_marks(cells, [blocks, roles])),
        notes=[*context.notes(context.pairs_of(origin)), *context.thinned_note(height)],
    )
    x = left
    for (grid, each, headings), title in zip(panels, ("Blocks", "Roles"), strict=True):
        page.write(x, top - heading_height(headings) - TITLE_LINE / 2, title, weight="bold")
        draw_headings(page, headings, x, top, width)
        axes = page.axes(x, top, len(grid.columns) * width, body)
        draw_cells(axes, each, scale, width=width, height=height)
        x += len(grid.columns) * width + BETWEEN
    draw_strips(page, strips, models, 0.0, top, height)
    draw_rows(page, right, top, entries, height, numbers)
    if scale is not None:
        draw_bar(page, scale, SHOWN[MEASURE].title, max(left, 0.25), top + body + 0.2, right - left)
    return page.figure


def _names(grid: Grid) -> list[str]:
    """Return the names of columns as they are written; a role's is its title."""
    return [role_title(name) if name in ROLES else name for name in grid.columns]


def _scale(grids: list[Grid]) -> Spread | None:
    """Return one scale of all cells that have a colour of it; None where none has."""
    values = np.concatenate([grid.values[grid.values > 0] for grid in grids])
    return Spread.of(values) if len(values) else None


def _marks(cells: list[Cells], grids: list[Grid]) -> list[Mark]:
    absent = any(grid.absent.any() for grid in grids)
    return [
        *cell_marks(cells, EQUAL_VALUES),
        *([Mark("neither model has it", PALE, " ")] if absent else []),
    ]


def _subtitle(context: Context, reference: str, has_colours: bool) -> str:
    matrix, measure = context.matrix, SHOWN[MEASURE]
    label = matrix.labels[matrix.index(reference)]
    order = "models in the order of making" if matrix.ordered else "near models side by side"
    parts = [
        f"Group {matrix.group}" if matrix.group else "",
        counted(len(matrix), "model"),
        component_title(matrix),
        f"{measure.title} ({measure.unit}) from {label}",
        "colours at quantiles" if has_colours else "",
        order if len(matrix) > 2 else "",
    ]
    return SEPARATOR.join(part for part in parts if part)


def _title(context: Context, reference: str, blocks: Grid) -> str:
    """Say which block moved most in most of the models, or why none did."""
    matrix = context.matrix
    component, label = component_title(matrix), matrix.labels[matrix.index(reference)]
    if (blocks.coverage == 0).all() or blocks.absent.all():
        others = len(blocks.rows)
        subject = "the other model" if others == 1 else f"each of {others} other models"
        return f"{component}: no block of {subject} could be compared with {label}"
    whole = np.where(blocks.coverage == 1, blocks.values, np.nan)
    known = whole if (whole > 0).any() else blocks.values
    known = np.where(known > 0, known, -1.0)
    moved = (known > 0).any(axis=1)
    if not moved.any():
        return f"{component}: {_unmoved(blocks)} {label}"
    most = Counter(blocks.columns[place] for place in known[moved].argmax(axis=1))
    block, times = max(most.items(), key=lambda item: (item[1], -blocks.columns.index(item[0])))
    models, rest = int(moved.sum()), _rest(blocks)
    if models == 1:
        to = matrix.labels[matrix.index(blocks.rows[int(moved.argmax())])]
        return f"{component}: {block} moved most from {label} to {to}{rest}"
    if times == 1:
        each = f"in each of {models} models"
        return f"{component}: another block moved most from {label} {each}{rest}"
    share = f"all {models}" if times == models else f"{times} of {models}"
    return f"{component}: {block} moved most in {share} models from {label}{rest}"


def _rest(blocks: Grid) -> str:
    """Return how many models are the same in every block, and how many compared in none."""
    there = ~blocks.absent
    same = int((there.any(axis=1) & (blocks.identical | ~there).all(axis=1)).sum())
    apart = int((blocks.missing | ~there).all(axis=1).sum())
    told = {"identical": same, "not compared": apart}
    return "".join(f", {number} {what}" for what, number in told.items() if number)


def _unmoved(blocks: Grid) -> str:
    """Return what holds where no block lies apart from the reference's."""
    there = ~blocks.absent
    if (blocks.identical | ~there).all():
        others = len(blocks.rows)
        subject = "the other model is" if others == 1 else f"all {others} other models are"
        return f"{subject} identical in every block to"
    return "no block that was compared lies apart from that of"
