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
from atlas.relations.classes import DTYPE, TAG, Classes
from atlas.relations.matrices import Matrix

WIDTH, GAP = 0.15, 0.05
"""Inches of a strip, and between two."""
NOTHING = "#f4f5f7"
"""Of a model without a class."""


def strips_of(matrix: Matrix) -> tuple[Classes, ...]:
    """
    Return what strips are drawn for: whatever tells some of the models from the others.

    Families of the drawn component itself are its cells at 0.
    """
    return tuple(
        each
        for each in matrix.classes
        if each.kind != matrix.component and len({each.of.get(model) for model in matrix.ids}) > 1
    )


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


def strip_marks(strips: Sequence[Classes], matrix: Matrix) -> list[Mark]:
    """Return what the strips' colours mean, but for tags that are the colours of the models too."""
    marks: list[Mark] = []
    letters: set[str] = set()
    for strip in strips:
        colours = class_colours(strip)
        if strip.kind == TAG and not are_models_own(matrix):
            marks += [Mark(f"tag {name}", colour, " ") for name, colour in colours.items()]
        elif strip.kind == DTYPE:
            marks += [Mark(name, colour, " ") for name, colour in colours.items()]
        elif strip.kind != TAG:
            letters |= set(colours)
    last = max(letters, default="")
    meaning = "families that share the strip's component"
    return marks + [
        Mark(meaning if name == last else "", letter_colour(name), name) for name in sorted(letters)
    ]


def are_models_own(matrix: Matrix) -> bool:
    """Return whether the models' own colours are those of their tags."""
    return not matrix.ordered and len(matrix) > len(QUALITATIVE)


def _title(strip: Classes) -> str:
    return {TAG: "Tag", DTYPE: "Dtype"}.get(strip.kind) or titled(strip.kind)
