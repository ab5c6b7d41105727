"""Who shares what: a row per model, a column per component, a letter for equal weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from atlas.names.components import EMA
from atlas.plots import style
from atlas.plots.context import SEPARATOR
from atlas.plots.grouping import MANY, Grouping, grouped
from atlas.plots.layout import (
    LARGEST,
    Entry,
    Page,
    draw_entry,
    entry_width,
    number_width,
    open_page,
)
from atlas.plots.marks import Mark
from atlas.plots.style import (
    FAINT,
    INK,
    PALE,
    PLAIN,
    QUALITATIVE,
    SMALL,
    SOFT,
    letter_colour,
    text_width,
)
from atlas.plots.words import COMPONENT_TITLES, counted, titled
from atlas.relations import families
from atlas.relations.families import Standing

ROW, COLUMN, GAP = 0.2, 1.05, 0.04
"""Inches."""
HEADING = 0.24
BETWEEN = 0.45
"""Inches between two blocks of rows side by side."""
LIGHT = 0.45
"""How much of its colour a rounded copy's cell keeps."""
EACH = "each its own"
"""In the place of `own` where several models share a row."""
TRACK = 0.5
"""Share of a cell's width that stands for all tensors of a component."""


@dataclass(frozen=True)
class Cell:
    """What one model is in one component."""

    place: Standing
    equals: str = ""
    """The component, of which the weights of this training copy are the raw ones of a model."""

    @property
    def text(self) -> str:
        """What is written in the cell."""
        if self.place.family is None:
            return "own"
        number = str(self.place.variant or "")
        name = f"{self.place.family}{number}"
        if self.equals:
            return f"= {titled(self.equals)} {name}"
        if self.place.is_rounded:
            return f"{name} ≈"
        return name if self.place.is_member else f"{name} {_percent(self.place.share)}"

    @property
    def is_whole(self) -> bool:
        """Whether the whole cell has the family's colour."""
        return bool(self.equals) or self.place.is_member or self.place.is_rounded


Cells = Mapping[str, Mapping[str, Cell]]
"""Component to model to cell; a model that lacks the component has none."""


def draw(
    frame: pd.DataFrame,
    *,
    group: str,
    models: Sequence[str],
    labels: Mapping[str, str],
    base: str | None = None,
) -> Figure:
    """
    Draw the identity table of a group as one picture.

    Parameters
    ----------
    frame
        The identity table.
    models
        The group's models in the roster's order.
    """
    cells = _cells(frame, models)
    places = {
        component: {model: cell.place for model, cell in held.items()}
        for component, held in cells.items()
    }
    order = grouped(places, models)
    if len(models) > MANY:
        order = order.folded(lambda model: _shown(cells, model), base)
    number = {model: place for place, model in enumerate(models, start=1)}
    entries = {
        model: Entry(
            number[model],
            labels.get(model, model),
            PLAIN,
            is_base=model == base,
            remark=_more(order, model),
        )
        for model in order.models
    }
    with style.applied():
        numbers = number_width(list(entries.values()))
        names = entry_width(list(entries.values()), numbers) + 0.15
        columns = _columns(cells, names)
        width = names + sum(_width(held.values(), name) for name, held in cells.items())
        blocks = order.blocks(max(1, int((LARGEST + BETWEEN) / (width + BETWEEN))))
        page = open_page(
            title=_title(cells, len(models)),
            subtitle=SEPARATOR.join(_subtitle(group, models, order)),
            width=len(blocks) * (width + BETWEEN) - BETWEEN,
            height=HEADING + max(order.height(block) for block in blocks) * ROW,
            legend=_legend(cells, models, base, _not_there(frame)),
            notes=_notes(order),
        )
        for block_number, block in enumerate(blocks):
            left = block_number * (width + BETWEEN)
            for component, x in columns.items():
                page.write(left + x, HEADING / 2 - 0.04, titled(component), weight="bold")
            for model, row in order.rows(block):
                top = HEADING + row * ROW
                draw_entry(page, left, top + ROW / 2, entries[model], numbers)
                for component, x in columns.items():
                    held = cells[component]
                    room = _width(held.values(), component)
                    _draw_cell(page, left + x, top, room, held.get(model), model in order.members)
        return page.figure


def _cells(frame: pd.DataFrame, models: Sequence[str]) -> Cells:
    """Return every cell, training copies told by the family whose raw weights they are."""
    averages = families.averages(frame)
    places = {
        name: families.standings(
            frame[frame["component"] == name],
            models,
            [raw for component, raw in averages.values() if component == name],
        )
        for name in _components(frame)
    }
    cells = {
        name: {model: Cell(place) for model, place in held.items()} for name, held in places.items()
    }
    for model, (component, raw) in averages.items():
        if model in cells.get(EMA, {}):
            cells[EMA][model] = Cell(places[component][raw], component)
    return cells


def _shown(cells: Cells, model: str) -> tuple[str, ...]:
    """Return what a model's row shows: its cells as they are written."""
    found = (held.get(model) for held in cells.values())
    return tuple("" if cell is None else cell.text for cell in found)


def _more(order: Grouping, model: str) -> str:
    """Return how many models share a model's row."""
    others = len(order.members.get(model, (model,))) - 1
    return f"and {others} more" if others else ""


def _notes(order: Grouping) -> list[str]:
    """Return what a row of several models is, if there is one."""
    if not order.members:
        return []
    return [
        "Models whose cells are the same share a row, in the name of one of them: where it has a"
        f" letter, their weights are the same; '{EACH}' is one of no other's for each of them."
    ]


def _components(frame: pd.DataFrame) -> list[str]:
    """Return the components, those of a pipeline first in its order."""
    known = {name: number for number, name in enumerate(COMPONENT_TITLES)}
    return sorted(set(frame["component"]), key=lambda name: (known.get(name, len(known)), name))


def _width(cells: Iterable[Cell], component: str) -> float:
    """Return the inches of a column, wide enough for its heading and each of its texts."""
    needed = [text_width(titled(component), SMALL, "bold")]
    for cell in cells:
        width = text_width(cell.text, SMALL, "bold")
        needed.append(width if cell.is_whole else width / (1 - TRACK))
    return max(COLUMN, max(needed) + 0.12)


def _columns(cells: Cells, start: float) -> dict[str, float]:
    """Return where each column begins, in inches from the block's left edge."""
    columns = {}
    for component, held in cells.items():
        columns[component] = start
        start += _width(held.values(), component)
    return columns


def _title(cells: Cells, models: int) -> str:
    """Say of which component most models have the same weights."""
    counts = {
        component: sum(cell.place.is_member and cell.place.family == "A" for cell in held.values())
        for component, held in cells.items()
    }
    component = max(counts, key=lambda name: counts[name], default="")
    if not counts or counts[component] < 2:
        return f"No two of {counted(models, 'model')} share a component"
    return f"{titled(component)}: {counts[component]} of {models} models have the same weights"


def _subtitle(group: str, models: Sequence[str], order: Grouping) -> list[str]:
    parts = [f"Group {group}", counted(len(models), "model"), "told by digests of all tensors"]
    return [*parts, f"rows by families of the {titled(order.by)}"] if order.by else parts


def _not_there(frame: pd.DataFrame) -> str:
    """Return what a hatched cell says: the model has no such component, or it was not read."""
    refused = (frame["verdict"] == "refused").any()
    return "not there, or not read" if refused else "not there"


def _legend(cells: Cells, models: Sequence[str], base: str | None, not_there: str) -> list[Mark]:
    found = [cell for held in cells.values() for cell in held.values()]
    places = [cell.place for cell in found]
    marks = [Mark("base (bold)", shape="ring")] if base in models else []
    if any(place.family and place.is_member for place in places):
        marks.append(Mark("the same weights, bit for bit", QUALITATIVE[0], "A"))
    if any(place.is_rounded for place in places):
        marks.append(Mark("A ≈: the same, rounded", _lighter(QUALITATIVE[0]), "≈"))
    if any(place.share < 1 for place in places):
        marks.append(Mark("A 56 %: so many tensors are A's, the others changed", PALE, " "))
    if any(place.variant for place in places):
        marks.append(Mark("A1, A2: next to A, and not the same", PALE, " "))
    if any(cell.equals for cell in found):
        marks.append(Mark("UNet A: this average is A of that column", QUALITATIVE[0], "="))
    if any(place.family is None for place in places):
        marks.append(Mark("own: like no other", "white", " "))
    if any(len(held) < len(models) for held in cells.values()):
        marks.append(Mark(not_there, shape="hatched"))
    return marks


def _draw_cell(
    page: Page, x: float, y: float, room: float, cell: Cell | None, is_shared: bool
) -> None:
    """Draw a cell; shared is one of several models."""
    left, top = page.left + x, page.top + y + GAP / 2
    width, height = room - 2 * GAP, ROW - GAP
    if cell is None:
        _add_box(page, left, top, width, height, facecolor="white", hatch="/////", edgecolor=FAINT)
        return
    if cell.place.family is None:
        _add_box(page, left, top, width, height, facecolor="white", edgecolor=FAINT)
        text = EACH if is_shared else cell.text
        page.write(x + width / 2, y + ROW / 2, text, ha="center", color=SOFT)
        return
    colour = letter_colour(cell.place.family)
    if not cell.is_whole:
        track = TRACK * width
        _add_box(page, left, top, track, height, facecolor=PALE)
        _add_box(page, left, top, cell.place.share * track, height, facecolor=colour)
        page.write(x + (1 + TRACK) / 2 * width, y + ROW / 2, cell.text, ha="center")
        return
    face = colour if cell.place.is_member else _lighter(colour)
    _add_box(page, left, top, width, height, facecolor=face)
    ink = "white" if _is_dark(face) else INK
    page.write(x + width / 2, y + ROW / 2, cell.text, ha="center", color=ink, weight="bold")


def _percent(share: float) -> str:
    """Return the share rounded so that only nothing is 0 % and only all is 100 %."""
    return f"{min(max(round(100 * share), 1), 99)} %"


def _add_box(page: Page, x: float, y: float, width: float, height: float, **look: Any) -> None:
    page.canvas.add_patch(Rectangle((x, y), width, height, **({"lw": 0.5} | look)))


def _lighter(colour: str) -> str:
    return to_hex([1 - LIGHT + LIGHT * part for part in to_rgb(colour)])


def _is_dark(colour: str) -> bool:
    """Tell whether white letters read better (relative luminance, ITU-R BT.709)."""
    red, green, blue = to_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.55
