"""Strips of colour beside a heatmap: what the models of its rows are sorted by."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

from atlas.plots.layout import Page
from atlas.plots.marks import Mark
from atlas.plots.style import (
    QUALITATIVE,
    SMALL,
    SOFT,
    WITHOUT_FAMILY,
    class_colours,
    letter_colour,
    text_width,
)
from atlas.plots.words import titled
from atlas.relations.classes import TAG, Classes
from atlas.relations.matrices import Matrix

WIDTH, GAP = 0.15, 0.05
"""Inches of a strip, and between two."""
NOTHING = "#f4f5f7"
"""Of a model without a class."""


def strips_of(matrix: Matrix) -> tuple[Classes, ...]:
    """
    Return what strips are drawn for: nothing in a group whose models each have a colour.

    Families of the drawn component itself are its cells at 0.
    """
    if len(matrix) <= len(QUALITATIVE):
        return ()
    return tuple(each for each in matrix.classes if each.kind != matrix.component)


def strips_width(strips: Sequence[Classes]) -> float:
    """Return the inches that strips take, with the gap to the cells."""
    return len(strips) * (WIDTH + GAP)


def strips_head(strips: Sequence[Classes]) -> float:
    """Return the inches that the strips' titles, written upwards, need above them."""
    return max((text_width(_title(strip), SMALL) + 0.1 for strip in strips), default=0.0)


def draw_strips(
    page: Page, strips: Sequence[Classes], models: Sequence[str], x: float, y: float, cell: float
) -> None:
    """Draw a strip for each way to sort the models, their rows from y on in the given order."""
    for number, strip in enumerate(strips):
        left = x + number * (WIDTH + GAP)
        colours = class_colours(strip)
        found = [strip.of.get(model) for model in models]
        cells = [NOTHING if name is None else colours.get(name, WITHOUT_FAMILY) for name in found]
        axes = page.axes(left, y, WIDTH, len(models) * cell)
        axes.set_axis_off()
        axes.imshow(
            np.array([to_rgb(colour) for colour in cells])[:, None],
            interpolation="none",
            aspect="auto",
        )
        page.write(
            left + WIDTH / 2,
            y - 0.05,
            _title(strip),
            rotation=90,
            ha="center",
            va="bottom",
            color=SOFT,
        )


def strip_marks(strips: Sequence[Classes]) -> list[Mark]:
    """Return what the colours of families mean; those of tags are the models' own."""
    found = {name for strip in strips if strip.kind != TAG for name in class_colours(strip)}
    letters = sorted(found)
    meaning = "families that share the strip's component"
    return [
        Mark(meaning if name == letters[-1] else "", letter_colour(name), name) for name in letters
    ]


def _title(strip: Classes) -> str:
    return "Tag" if strip.kind == TAG else titled(strip.kind)
