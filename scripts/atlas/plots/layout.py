"""A page in inches: title, subtitle, legend, body and notes, and rows that name models."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from matplotlib.figure import Figure

from atlas.plots.marks import Mark as Mark
from atlas.plots.marks import draw_dot, draw_mark
from atlas.plots.style import INK, SMALL, SOFT, TEXT, TITLE, text_width

MARGIN = 0.3
LINE = 1.45
"""Distance of lines of text over their font size."""
ROW = SMALL * LINE / 72
"""Height in inches of one row that names a model."""
NARROWEST = 6.2
LOWEST = 0.83 * ROW
"""Inches of a row that still has room for its name."""
LARGEST = 48.0
"""Inches of rows one below the other: of more than some 260 models they are lower than a text."""


@dataclass(frozen=True)
class Entry:
    """A row that names a model: its number in the roster, a coloured dot, its label."""

    number: int
    label: str
    colour: str
    is_base: bool = False
    remark: str = ""


@dataclass
class Page:
    """A figure with a canvas in inches, from the top left corner, y downwards."""

    figure: Figure
    canvas: Any
    left: float
    top: float
    width: float
    height: float
    """Of the body, between the subtitle and the notes."""
    texts: list[Any] = field(default_factory=list)

    def write(self, x: float, y: float, text: str, **options: Any) -> Any:
        """Write a text at a place in inches from the body's top left corner."""
        options = {"fontsize": SMALL, "va": "center", "ha": "left", "color": INK} | options
        return self.canvas.text(self.left + x, self.top + y, text, **options)

    def axes(self, x: float, y: float, width: float, height: float) -> Any:
        """Return axes at a place in inches from the body's top left corner."""
        page_width, page_height = self.figure.get_size_inches()
        left = (self.left + x) / page_width
        bottom = 1 - (self.top + y + height) / page_height
        return self.figure.add_axes((left, bottom, width / page_width, height / page_height))


def open_page(
    *,
    title: str,
    subtitle: str,
    width: float,
    height: float,
    legend: Sequence[Mark] = (),
    notes: Sequence[str] = (),
) -> Page:
    """Return a page whose body has the given size in inches, with its text around it."""
    page_width = max(width, NARROWEST) + 2 * MARGIN
    room = page_width - 2 * MARGIN
    titles = wrapped(title, TITLE, room, weight="bold")
    subtitles = wrapped(subtitle, TEXT, room)
    footer = [line for note in notes for line in wrapped(note, SMALL, room)]
    marks = _legend_rows(legend, room)
    top = MARGIN + _height(len(titles), TITLE) + 0.04 + _height(len(subtitles), TEXT)
    legend_top = top + 0.08
    top += 0.2 + (len(marks) * ROW + 0.1 if marks else 0.0)
    bottom = (_height(len(footer), SMALL) + 0.16 if footer else 0.0) + MARGIN
    page_height = top + height + bottom
    figure = Figure(figsize=(page_width, page_height), dpi=100)
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set_axis_off()
    canvas.set_xlim(0, page_width)
    canvas.set_ylim(page_height, 0)
    page = Page(figure, canvas, MARGIN, top, room, height)
    _write_lines(canvas, MARGIN, titles, TITLE, INK, "bold")
    _write_lines(canvas, MARGIN + _height(len(titles), TITLE) + 0.04, subtitles, TEXT, SOFT)
    _write_lines(canvas, top + height + 0.16, footer, SMALL, SOFT)
    for row, entries in enumerate(marks):
        for x, mark in entries:
            draw_mark(canvas, MARGIN + x, legend_top + (row + 0.5) * ROW, mark)
    return page


def wrapped(text: str, size: float, width: float, weight: str = "normal") -> list[str]:
    """Break a text into lines no wider than the width in inches, inside words if it must."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines += _pieces(word, size, width, weight)
    return [line.strip(" ") for line in lines]  # no gap between parts where a line breaks


def _pieces(word: str, size: float, width: float, weight: str) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character, size, weight) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _height(lines: int, size: float) -> float:
    return lines * size * LINE / 72


def _write_lines(
    canvas: Any, top: float, lines: Sequence[str], size: float, colour: str, weight: str = "normal"
) -> None:
    for number, line in enumerate(lines):
        y = top + _height(number, size)
        canvas.text(
            MARGIN, y, line, fontsize=size, color=colour, weight=weight, va="top", ha="left"
        )


def _legend_rows(legend: Sequence[Mark], width: float) -> list[list[tuple[float, Mark]]]:
    rows: list[list[tuple[float, Mark]]] = []
    x = width
    for mark in legend:
        needed = 0.24 + text_width(mark.meaning, SMALL) + 0.2
        if not rows or x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, mark))
        x += needed
    return rows


def entry_width(entries: Sequence[Entry], numbers: float) -> float:
    """Return the width in inches of rows that name these models, after a column of numbers."""
    return max(map(_row_width, entries)) + numbers + 0.26


def number_width(entries: Sequence[Entry]) -> float:
    """Return the width in inches of the widest number."""
    return max(text_width(str(entry.number), SMALL) for entry in entries)


def _row_width(entry: Entry) -> float:
    remark = text_width(f"  {entry.remark}", SMALL) if entry.remark else 0.0
    return text_width(entry.label, SMALL, _weight(entry)) + remark


def _weight(entry: Entry) -> str:
    return "bold" if entry.is_base else "normal"


def draw_entry(page: Page, x: float, y: float, entry: Entry, numbers: float) -> None:
    """Draw a row that names a model; numbers is the width of the column of numbers."""
    page.write(x + numbers, y, str(entry.number), color=SOFT, ha="right")
    spot = (page.left + x + numbers + 0.11, page.top + y)
    draw_dot(page.canvas, spot, 5.8, entry.colour, ring=entry.is_base, zorder=2)
    left = x + numbers + 0.22
    page.write(left, y, entry.label, weight=_weight(entry))
    if entry.remark:
        width = text_width(entry.label, SMALL, _weight(entry))
        page.write(left + width, y, f"  {entry.remark}", color=SOFT)


def row_height(rows: int) -> float:
    """Return the inches of a row of a picture: those of few are higher, thousands have a limit."""
    return min(max(1.15 * ROW, min(0.3, 3.2 / rows)), LARGEST / rows)


def thinned(height: float) -> int:
    """Return of how many rows of so many inches one has room for its name."""
    return max(1, ceil(LOWEST / height))


def draw_rows(
    page: Page, x: float, y: float, entries: Sequence[Entry], height: float, numbers: float
) -> None:
    """
    Name rows of so many inches, from a place on downwards: every one, or as many as have room.

    Parameters
    ----------
    numbers
        Width of the column of numbers.
    """
    step = thinned(height)
    for place, entry in enumerate(entries):
        if place % step == 0:
            draw_entry(page, x, y + (place + 0.5) * height, entry, numbers)


@dataclass(frozen=True)
class Key:
    """A list of models in columns."""

    entries: tuple[Entry, ...]
    rows: int
    widths: tuple[float, ...]

    @property
    def width(self) -> float:
        """Width in inches of all columns, with the gaps between them."""
        return sum(self.widths) + 0.25 * (len(self.widths) - 1)

    @property
    def height(self) -> float:
        """Height in inches of the longest column."""
        return self.rows * ROW


def key_of(entries: Sequence[Entry], height: float) -> Key:
    """Arrange the models in as few columns as fit the height in inches."""
    columns = ceil(len(entries) * ROW / height)
    rows = ceil(len(entries) / columns)
    parts = [entries[start : start + rows] for start in range(0, len(entries), rows)]
    numbers = number_width(entries)
    return Key(tuple(entries), rows, tuple(entry_width(part, numbers) for part in parts))


def draw_key(page: Page, x: float, y: float, key: Key) -> None:
    """Draw the list with its top left corner at a place in inches."""
    numbers = number_width(key.entries)
    for column, width in enumerate(key.widths):
        part = key.entries[column * key.rows : (column + 1) * key.rows]
        for row, entry in enumerate(part):
            draw_entry(page, x, y + (row + 0.5) * ROW, entry, numbers)
        x += width + 0.25
