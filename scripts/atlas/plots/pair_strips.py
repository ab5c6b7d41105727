"""A pair's strips: how far each role of each block is apart, a strip for each component."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from atlas.measures import SHOWN
from atlas.plots.cells import EQUAL_VALUES, Cells, cell_marks, draw_cells, grid_cells
from atlas.plots.colour_bar import BAR, draw_bar
from atlas.plots.headings import Heading, draw_headings, heading_height, headings_of
from atlas.plots.layout import Page
from atlas.plots.marks import Mark
from atlas.plots.spread import Spread
from atlas.plots.style import PALE, SOFT
from atlas.plots.words import COMPONENT_TITLES, role_title, titled
from atlas.relations.groups import TOTAL
from atlas.relations.moved import MEASURE, Grid

ROW = 0.19
"""Inches of a role's row."""
NARROWEST, WIDEST, WIDTH = 0.145, 0.34, 6.8
"""Inches of a column, and of all of them where that leaves a column enough."""
TITLE_LINE, GAP = 0.22, 0.24
"""Inches of a component's name, above those of roles, and below its strip."""
EVERY = "All roles"


@dataclass(frozen=True, eq=False)
class Strip:
    """One component's grid of roles by blocks, and how it is drawn."""

    component: str
    grid: Grid
    cells: Cells
    column: float
    """Inches of a column."""
    headings: list[Heading]

    @property
    def width(self) -> float:
        """Inches of the cells."""
        return len(self.grid.columns) * self.column

    @property
    def head(self) -> float:
        """Inches above the cells."""
        return max(TITLE_LINE, heading_height(self.headings))

    @property
    def height(self) -> float:
        """Inches of the cells with what stands above them and the gap below."""
        return self.head + len(self.grid.rows) * ROW + GAP


@dataclass(frozen=True, eq=False)
class Strips:
    """The strips of the components of which any block moved, and what is said of the others."""

    drawn: list[Strip]
    alike: list[str]
    """Components identical in every block."""

    @classmethod
    def of(cls, grids: Mapping[str, Grid]) -> "Strips":
        """Return the strips of a pair's components, in the order of titles."""
        known = {name: place for place, name in enumerate(COMPONENT_TITLES)}
        order = sorted(grids, key=lambda name: (known.get(name, len(known)), name))
        drawn = [_strip(name, grids[name]) for name in order if (grids[name].values > 0).any()]
        alike = [name for name in order if (grids[name].identical | grids[name].absent).all()]
        return cls(drawn, alike)

    @property
    def height(self) -> float:
        """Inches that they take with their bar of colours; 0 where there is none."""
        return sum(strip.height for strip in self.drawn) + BAR if self.drawn else 0.0

    @property
    def width(self) -> float:
        """Inches of the widest, without the column of roles at its left."""
        return max((strip.width for strip in self.drawn), default=0.0)

    def marks(self) -> list[Mark]:
        """Return what the signs on the cells mean."""
        marks = cell_marks([strip.cells for strip in self.drawn], EQUAL_VALUES)
        if any(strip.grid.absent.any() for strip in self.drawn):
            marks.append(Mark("no such role in the block", PALE, " "))
        return marks

    def notes(self) -> list[str]:
        """Return which components have no strip, as all is the same there."""
        if not self.alike or not self.drawn:
            return []
        return [f"Identical in every block: {', '.join(map(titled, self.alike))}."]

    def draw(self, page: Page, x: float) -> None:
        """Draw all from the body's top on, cells from a place in inches on, roles left of it."""
        if not self.drawn:
            return
        values = np.concatenate([each.grid.values[each.grid.values > 0] for each in self.drawn])
        scale = Spread.of(values)
        y = 0.0
        for strip in self.drawn:
            _draw(page, strip, scale, x, y)
            y += strip.height
        title = f"{SHOWN[MEASURE].title} of a role in a block"
        draw_bar(page, scale, title, x, y - 0.06, self.width)


def _strip(component: str, grid: Grid) -> Strip:
    column = float(np.clip(WIDTH / len(grid.columns), NARROWEST, WIDEST))
    headings = headings_of(grid.columns, column)
    return Strip(component, grid, grid_cells(grid), column, headings)


def _draw(page: Page, strip: Strip, scale: Spread, x: float, y: float) -> None:
    top = y + strip.head
    page.write(0.0, top - TITLE_LINE / 2, titled(strip.component), weight="bold")
    draw_headings(page, strip.headings, x, top, strip.column)
    axes = page.axes(x, top, strip.width, len(strip.grid.rows) * ROW)
    draw_cells(axes, strip.cells, scale, width=strip.column, height=ROW)
    for place, role in enumerate(strip.grid.rows):
        name = EVERY if role == TOTAL else role_title(role)
        page.write(0.0, top + (place + 0.5) * ROW, name, color=SOFT)
