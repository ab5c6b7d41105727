"""What stands above the columns of a grid: names of blocks and roles, series of blocks in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from atlas.names.block_order import series_of
from atlas.plots.layout import Page
from atlas.plots.marks import add_line
from atlas.plots.style import FAINT, SMALL, SOFT, text_width

SHORT = 7
"""Letters of a block's name that is written in full above its column, such as OUT11."""
LINE = 0.17
"""Inches of a line of numbers, or of names of series."""


@dataclass(frozen=True)
class Heading:
    """What stands above some columns side by side."""

    text: str
    start: int
    columns: int
    numbers: tuple[str, ...] = ()
    """Of the columns, where the text names their series; else the text is one column's name."""


def headings_of(names: Sequence[str], width: float) -> list[Heading]:
    """
    Return the headings of columns of so many inches.

    A series of blocks with a long name has the name once, above the numbers of its blocks, where
    both have room.
    """
    found, start = [], 0
    for (series, has_number), run in groupby(names, key=_series):
        members = list(run)
        numbers = tuple(series_of(name)[1] for name in members)
        roomy = text_width(series, SMALL) <= len(members) * width
        fits = max(text_width(number, SMALL) for number in numbers) < width - 0.02
        if has_number and len(members) > 2 and len(members[0]) > SHORT and roomy and fits:
            found.append(Heading(series, start, len(members), numbers))
        else:
            found += [Heading(name, start + place, 1) for place, name in enumerate(members)]
        start += len(members)
    return found


def _series(name: str) -> tuple[str, bool]:
    series, number = series_of(name)
    return series, bool(number)


def heading_height(headings: Sequence[Heading]) -> float:
    """Return the inches above the cells that the headings need."""
    return max(
        (
            2 * LINE + 0.06 if heading.numbers else text_width(heading.text, SMALL) + 0.1
            for heading in headings
        ),
        default=0.0,
    )


def draw_headings(
    page: Page, headings: Sequence[Heading], x: float, y: float, width: float
) -> None:
    """Write headings above cells whose top left corner is at a place in inches."""
    for heading in headings:
        left = x + heading.start * width
        if not heading.numbers:
            page.write(
                left + width / 2,
                y - 0.05,
                heading.text,
                rotation=90,
                ha="center",
                va="bottom",
                color=SOFT,
            )
            continue
        right = left + heading.columns * width
        for place, number in enumerate(heading.numbers):
            centre = left + (place + 0.5) * width
            page.write(centre, y - 0.5 * LINE, number, ha="center", color=SOFT)
        edge = page.top + y - LINE - 0.02
        ends = [page.left + left + 0.03, page.left + right - 0.03]
        add_line(page.canvas, ends, [edge, edge], color=FAINT, lw=0.8)
        page.write((left + right) / 2, y - 1.5 * LINE - 0.03, heading.text, ha="center", color=SOFT)
