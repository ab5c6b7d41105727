"""A picture of a recipe: parents' weights stacked, block by block, and what they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from atlas.lineage.expressions import TOLD, Name, plain
from atlas.lineage.strips import Bar, Column, Look, Strip
from atlas.plots import style
from atlas.plots.headings import draw_headings, heading_height, headings_of
from atlas.plots.layout import Page, open_page
from atlas.plots.marks import Mark, add_line, add_marker
from atlas.plots.style import ACCENT, FAINT, INK, QUALITATIVE, SOFT, WITHOUT_FAMILY
from atlas.plots.words import significant

NARROWEST, WIDEST, WIDTH = 0.17, 0.36, 6.4
"""Inches of a column, and of all of them where that leaves a column enough."""
LEFT = 0.62
"""Inches left of the columns, for the scale."""
UNIT = 1.9
"""Inches from weight 0 to 1."""
HIGHEST = 3.3
"""Inches of the weights at most, where some are far beyond 1."""
SHARE = 0.84
"""Of a column that its bar takes, where blocks have weights of their own."""
LEFT_OVER = 0.62
"""Inches of the panel of what is left."""
LEAST, MOST = 1e-4, 1.0
"""Shares of the distance from the nearest model that it reaches from and to, at least."""
GAP = 0.22
FINE = 3.0
"""Where weights reach no farther than this in all, lines stand at quarters, else at whole ones."""
WRITTEN = 0.16
"""Inches of a bar in which its weight has room, where one serves all blocks."""
PALER = 0.5
"""Of the colour of sums that leave more than rounding."""


def colours_of(parents: Sequence[str]) -> dict[str, str]:
    """Return a colour for each parent; of more than there are colours the further ones are grey."""
    rest = [WITHOUT_FAMILY] * max(len(parents) - len(QUALITATIVE), 0)
    return dict(zip(parents, [*QUALITATIVE, *rest], strict=False))


def draw(
    strip: Strip,
    *,
    title: str,
    subtitle: str,
    colours: Mapping[str, str],
    name: Name,
    notes: Sequence[str] = (),
) -> Figure:
    """
    Draw a strip.

    Parameters
    ----------
    colours
        Parent to colour, the same in all pictures of a target.
    name
        What models are called.
    notes
        What is written below.
    """
    with style.applied():
        columns = strip.columns
        blocks = [column.block for column in columns]
        width = float(np.clip(WIDTH / len(columns), NARROWEST, WIDEST)) if len(columns) > 1 else 1.2
        headings = headings_of(blocks, width) if len(columns) > 1 else []
        head = heading_height(headings)
        low, high = _range(columns)
        unit = min(UNIT, HIGHEST / (high - low))
        tall = (high - low) * unit
        has_left = any(column.left is not None for column in columns)
        page = open_page(
            title=title,
            subtitle=subtitle,
            width=LEFT + len(columns) * width + 0.1,
            height=head + tall + (GAP + LEFT_OVER if has_left else 0.0),
            legend=_legend(strip, colours, name),
            notes=notes,
        )
        draw_headings(page, headings, LEFT, head, width)
        _draw_scale(page, head, low, high, unit, len(columns) * width)
        for place, column in enumerate(columns):
            x = LEFT + place * width
            zero = head + high * unit
            _draw_column(page, column, x, zero, width, unit, colours, is_global=strip.is_global)
        if strip.is_global:
            _write_weights(page, columns, head + high * unit, width, unit, colours)
        if has_left:
            _draw_left_over(page, columns, head + tall + GAP, width)
        return page.figure


def _range(columns: Sequence[Column]) -> tuple[float, float]:
    """Return the lowest and the highest weight of the scale: 0 and 1 at least."""
    low = min(column.low for column in columns)
    high = max(column.high for column in columns)
    return min(np.floor(low * 4) / 4, 0.0), max(np.ceil(high * 4 - 1e-3) / 4, 1.0)


def _legend(strip: Strip, colours: Mapping[str, str], name: Name) -> list[Mark]:
    looks = {column.look for column in strip.columns}
    marks = [Mark(name(parent), colours[parent], " ") for parent in strip.parents]
    if Look.NEAR in looks:
        marks.append(Mark("paler: a sum that leaves more than rounding", FAINT, " "))
    if Look.EQUAL in looks:
        marks.append(Mark("the same in all parents", FAINT, "hatched"))
    if Look.HIDDEN in looks:
        marks.append(Mark("rounding hides the weights", WITHOUT_FAMILY, "?"))
    if Look.NOTHING in looks:
        marks.append(Mark("no recipe", "white", "×"))
    if any(bar.error > TOLD for column in strip.columns for bar in column.bars):
        marks.append(Mark("standard error of a weight", INK, "line"))
    if any(column.left is not None for column in strip.columns):
        marks.append(Mark("left by the sum", INK))
    if any(column.left is not None and column.floor for column in strip.columns):
        marks.append(Mark("what rounding leaves", SOFT, "line"))
    return marks


def _draw_scale(page: Page, top: float, low: float, high: float, unit: float, width: float) -> None:
    """Draw lines at quarters, and write the weights that they stand for."""
    step = 0.25 if high - low <= FINE else 1.0
    for value in np.arange(low, high + step / 2, step):
        y = top + (high - value) * unit
        ends = [page.left + LEFT, page.left + LEFT + width]
        colour, thick = (SOFT, 0.9) if value == 0 else (FAINT, 0.5)
        add_line(page.canvas, ends, [page.top + y] * 2, color=colour, lw=thick, zorder=0.5)
        page.write(LEFT - 0.06, y, plain(float(value)), ha="right", color=SOFT)
    page.write(0.08, top + (high - low) * unit / 2, "weight", rotation=90, ha="center", color=SOFT)


def _draw_column(
    page: Page,
    column: Column,
    x: float,
    zero: float,
    width: float,
    unit: float,
    colours: Mapping[str, str],
    *,
    is_global: bool,
) -> None:
    """Draw a block's bars; zero is where weight 0 lies, in inches from the body's top."""
    inset = 0.0 if is_global else width * (1 - SHARE) / 2
    left, wide = x + inset, width - 2 * inset
    if column.look in (Look.EQUAL, Look.HIDDEN, Look.NOTHING):
        _draw_without_weights(page, column.look, left, wide, zero, unit)
        return
    up = down = 0.0
    for place, bar in enumerate(column.bars):
        start = up if bar.weight >= 0 else down
        end = start + bar.weight
        colour = colours.get(bar.parent, WITHOUT_FAMILY)
        face = _paler(colour) if column.look is Look.NEAR else colour
        _box(page, left, zero - end * unit, wide, zero - start * unit, facecolor=face)
        if bar.weight >= 0:
            up = end
        else:
            down = end
        if bar.error > TOLD and (place < len(column.bars) - 1 or len(column.bars) == 1):
            _draw_error(page, left + wide / 2, zero - end * unit, bar, unit, wide)


def _draw_without_weights(
    page: Page, look: Look, left: float, wide: float, zero: float, unit: float
) -> None:
    """Draw a column from 0 to 1 that says why there are no weights."""
    looks: dict[str, Any] = {
        Look.EQUAL: {"facecolor": "white", "edgecolor": FAINT, "hatch": "/////"},
        Look.HIDDEN: {"facecolor": WITHOUT_FAMILY},
        Look.NOTHING: {"facecolor": "white", "edgecolor": FAINT},
    }
    _box(page, left, zero - unit, wide, zero, **({"lw": 0.5} | looks[look]))
    sign = {Look.HIDDEN: "?", Look.NOTHING: "×"}.get(look)
    if sign:
        colour = "white" if look is Look.HIDDEN else INK
        page.write(left + wide / 2, zero - unit / 2, sign, ha="center", color=colour, weight="bold")


def _box(page: Page, left: float, top: float, width: float, bottom: float, **look: Any) -> None:
    """Draw a rectangle whose edges lie at places in inches from the body's corner."""
    top, bottom = sorted((top, bottom))
    place = (page.left + left, page.top + top)
    page.canvas.add_patch(Rectangle(place, width, bottom - top, **({"lw": 0, "zorder": 1} | look)))


def _draw_error(page: Page, x: float, y: float, bar: Bar, unit: float, wide: float) -> None:
    """Draw a standard error around the end of a bar."""
    length = min(bar.error, 1.0) * unit
    at, ends = page.left + x, (page.top + y - length, page.top + y + length)
    cap = min(wide / 4, 0.05)
    for colour, lw in (("white", 2.2), (INK, 1.0)):
        add_line(page.canvas, [at, at], ends, color=colour, lw=lw, zorder=3)
        for end in ends:
            add_line(page.canvas, [at - cap, at + cap], [end] * 2, color=colour, lw=lw, zorder=3)


def _paler(colour: str) -> tuple[float, ...]:
    return tuple(1 - (1 - part) * PALER for part in to_rgb(colour))


def _write_weights(
    page: Page,
    columns: Sequence[Column],
    zero: float,
    width: float,
    unit: float,
    colours: Mapping[str, str],
) -> None:
    """Write the weights into the widest part of the bar of all blocks, each where it has room."""
    runs = [
        [*run] if has_bars else []
        for has_bars, run in groupby(range(len(columns)), lambda place: bool(columns[place].bars))
    ]
    told = max(runs, key=len)
    if not told:
        return
    whole = columns[told[0]]
    centre = LEFT + (told[0] + len(told) / 2) * width
    up = down = 0.0
    for bar in whole.bars:
        start = up if bar.weight >= 0 else down
        middle = start + bar.weight / 2
        if bar.weight >= 0:
            up += bar.weight
        else:
            down += bar.weight
        text = plain(bar.weight, bar.error)
        has_room = style.text_width(text, style.SMALL, "bold") < len(told) * width
        if abs(bar.weight) * unit >= WRITTEN and has_room:
            face = to_rgb(colours.get(bar.parent, WITHOUT_FAMILY))
            is_dark = 0.299 * face[0] + 0.587 * face[1] + 0.114 * face[2] < 0.55
            page.write(
                centre,
                zero - middle * unit,
                text,
                ha="center",
                weight="bold",
                color="white" if is_dark and whole.look is not Look.NEAR else INK,
                zorder=4,
            )


def _draw_left_over(page: Page, columns: Sequence[Column], top: float, width: float) -> None:
    """Draw what each block leaves, and what rounding would, on a scale by powers of ten."""
    low = np.log10(LEAST)
    largest = max(
        value for column in columns for value in (column.left, column.floor, MOST) if value
    )
    high = np.ceil(np.log10(largest))

    def place_of(value: float) -> float:
        return top + LEFT_OVER * float(high - np.log10(max(value, LEAST))) / float(high - low)

    ends = [page.left + LEFT, page.left + LEFT + len(columns) * width]
    for power in sorted({low, (low + high) // 2, high}):
        y = place_of(10.0**power)
        add_line(page.canvas, ends, [page.top + y] * 2, color=FAINT, lw=0.5, zorder=0.5)
        told = f"≤{significant(LEAST)}" if power == low else significant(10.0**power)
        page.write(LEFT - 0.06, y, told, ha="right", color=SOFT)
    page.write(0.08, top + LEFT_OVER / 2, "left", rotation=90, ha="center", color=SOFT)
    for number, column in enumerate(columns):
        if column.left is None:
            continue
        x = page.left + LEFT + (number + 0.5) * width
        if column.floor:
            y = page.top + place_of(column.floor)
            reach = [x - 0.36 * width, x + 0.36 * width]
            add_line(page.canvas, reach, [y, y], color=SOFT, lw=1.4, zorder=1)
        is_more = column.look is Look.NEAR
        look = {"marker": "D" if is_more else "o", "mfc": ACCENT if is_more else INK}
        spot = page.top + place_of(column.left)
        add_marker(page.canvas, x, spot, **look, ms=4, mec="white", mew=0.4)
