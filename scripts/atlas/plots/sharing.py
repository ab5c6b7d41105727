"""Who shares what: a row per model, a column per component, a letter for equal weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from atlas.plots import style
from atlas.plots.context import SEPARATOR
from atlas.plots.layout import Entry, Page, draw_entry, entry_width, number_width, open_page
from atlas.plots.marks import Mark
from atlas.plots.style import FAINT, INK, PALE, PLAIN, QUALITATIVE, SOFT, WITHOUT_FAMILY
from atlas.plots.words import COMPONENT_TITLES, counted
from atlas.relations import families
from atlas.relations.families import Standing

ROW, COLUMN, GAP = 0.2, 1.05, 0.04
"""Inches."""
HEADING = 0.24
LIGHT = 0.45
"""How much of its colour a rounded copy's cell keeps."""
TRACK = 0.5
"""Share of a cell's width that stands for all tensors of a component."""


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
    components = _components(frame)
    places = {
        name: families.standings(frame[frame["component"] == name], models) for name in components
    }
    entries = [
        Entry(number, labels.get(model, model), PLAIN, is_base=model == base)
        for number, model in enumerate(models, start=1)
    ]
    with style.applied():
        numbers = number_width(entries)
        names = entry_width(entries, numbers) + 0.15
        page = open_page(
            title=_title(places, len(models)),
            subtitle=SEPARATOR.join(
                [f"Group {group}", counted(len(models), "model"), "told by digests of all tensors"]
            ),
            width=names + len(components) * COLUMN,
            height=HEADING + len(models) * ROW,
            legend=_legend(places, models, base, _not_there(frame)),
        )
        for row, (model, entry) in enumerate(zip(models, entries, strict=True)):
            top = HEADING + row * ROW
            draw_entry(page, 0.0, top + ROW / 2, entry, numbers)
            for column, component in enumerate(components):
                _draw_cell(page, names + column * COLUMN, top, places[component].get(model))
        for column, component in enumerate(components):
            title = COMPONENT_TITLES.get(component, component)
            page.write(names + column * COLUMN, HEADING / 2 - 0.04, title, weight="bold")
        return page.figure


def _components(frame: pd.DataFrame) -> list[str]:
    """Return the components, those of a pipeline first in its order."""
    known = {name: number for number, name in enumerate(COMPONENT_TITLES)}
    return sorted(set(frame["component"]), key=lambda name: (known.get(name, len(known)), name))


def _title(places: Mapping[str, Mapping[str, Standing]], models: int) -> str:
    """Say of which component most models have the same weights."""
    counts = {
        component: sum(place.is_member and place.family == "A" for place in held.values())
        for component, held in places.items()
    }
    component = max(counts, key=lambda name: counts[name], default="")
    if not counts or counts[component] < 2:
        return f"No two of {counted(models, 'model')} share a component"
    title = COMPONENT_TITLES.get(component, component)
    return f"{title}: {counts[component]} of {models} models have the same weights"


def _legend(
    places: Mapping[str, Mapping[str, Standing]],
    models: Sequence[str],
    base: str | None,
    not_there: str,
) -> list[Mark]:
    found = [place for held in places.values() for place in held.values()]
    marks = [Mark("base (bold)", shape="ring")] if base in models else []
    if any(place.family and place.is_member for place in found):
        marks.append(Mark("the same weights, bit for bit", QUALITATIVE[0], "A"))
    if any(place.is_rounded for place in found):
        marks.append(Mark("A ≈: the same, rounded", _lighter(QUALITATIVE[0]), "≈"))
    if any(place.share < 1 for place in found):
        marks.append(Mark("A 56 %: so many tensors are A's, the others changed", PALE, " "))
    if any(place.family is None for place in found):
        marks.append(Mark("own: like no other", "white", " "))
    if any(len(held) < len(models) for held in places.values()):
        marks.append(Mark(not_there, shape="hatched"))
    return marks


def _not_there(frame: pd.DataFrame) -> str:
    """Return what a hatched cell says: the model has no such component, or it was not read."""
    refused = (frame["verdict"] == "refused").any()
    return "not there, or not read" if refused else "not there"


def _draw_cell(page: Page, x: float, y: float, place: Standing | None) -> None:
    left, top = page.left + x, page.top + y + GAP / 2
    width, height = COLUMN - 2 * GAP, ROW - GAP
    if place is None:
        _add_box(page, left, top, width, height, facecolor="white", hatch="/////", edgecolor=FAINT)
        return
    if place.family is None:
        _add_box(page, left, top, width, height, facecolor="white", edgecolor=FAINT)
        page.write(x + width / 2, y + ROW / 2, "own", ha="center", color=SOFT)
        return
    colour = _colour(place.family)
    if not (place.is_member or place.is_rounded):
        track = TRACK * width
        _add_box(page, left, top, track, height, facecolor=PALE)
        _add_box(page, left, top, place.share * track, height, facecolor=colour)
        text = f"{place.family} {_percent(place.share)}"
        page.write(x + (1 + TRACK) / 2 * width, y + ROW / 2, text, ha="center")
        return
    face = _lighter(colour) if place.is_rounded else colour
    _add_box(page, left, top, width, height, facecolor=face)
    text = f"{place.family} ≈" if place.is_rounded else place.family
    ink = "white" if _is_dark(face) else INK
    page.write(x + width / 2, y + ROW / 2, text, ha="center", color=ink, weight="bold")


def _percent(share: float) -> str:
    """Return the share rounded so that only nothing is 0 % and only all is 100 %."""
    return f"{min(max(round(100 * share), 1), 99)} %"


def _add_box(page: Page, x: float, y: float, width: float, height: float, **look: Any) -> None:
    page.canvas.add_patch(Rectangle((x, y), width, height, **({"lw": 0.5} | look)))


def _colour(letter: str) -> str:
    number = ord(letter) - ord("A") if len(letter) == 1 else len(QUALITATIVE)
    return QUALITATIVE[number] if number < len(QUALITATIVE) else WITHOUT_FAMILY


def _lighter(colour: str) -> str:
    return to_hex([1 - LIGHT + LIGHT * part for part in to_rgb(colour)])


def _is_dark(colour: str) -> bool:
    """Tell whether white letters read better (relative luminance, ITU-R BT.709)."""
    red, green, blue = to_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.55
