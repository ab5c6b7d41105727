"""How far words moved as a picture: for each text encoder, the words in order."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from atlas.embeddings.words_picture import category_colours, short
from atlas.plots.layout import ROW, Mark, Page, open_page
from atlas.plots.marks import add_line
from atlas.plots.style import FAINT, INK, SMALL, SOFT, applied, text_width

MOST = 24
"""Words of an encoder: those that moved most."""
WIDEST = 3
"""Encoders in a row."""
BAR, NUMBER, GAP, HEAD, FOOT = 1.9, 0.6, 0.35, 0.4, 0.2
"""Length of the longest bar, room for a number, space between encoders, height of words: inches."""


def draw(
    drift: pd.DataFrame,
    models: Sequence[str],
    *,
    labels: Mapping[str, str],
    title: str,
    subtitle: str,
    notes: Sequence[str] = (),
) -> Figure:
    """
    Draw the words that moved most in each of some models, and the mean of all words.

    Parameters
    ----------
    drift
        Rows of drift.csv of one component and form, of words standing alone.
    models
        Whose, in order.
    """
    colours = category_colours(drift)
    words = max(text_width(short(word), SMALL) for word in drift["word"])
    column = words + 0.08 + BAR + NUMBER
    count = min(MOST, drift["word"].nunique())
    height = HEAD + count * ROW + FOOT
    columns = min(len(models), WIDEST)
    lines = -(-len(models) // WIDEST)
    with applied():
        page = open_page(
            title=title,
            subtitle=subtitle,
            width=columns * (column + GAP) - GAP,
            height=lines * height,
            legend=[
                *(Mark(name, colour, "bar") for name, colour in colours.items() if name),
                Mark("mean of all words", INK, "line"),
            ],
            notes=notes,
        )
        for number, model in enumerate(models):
            corner = (number % WIDEST * (column + GAP), number // WIDEST * height)
            own = drift[drift["model"] == model]
            _draw_model(page, corner, own, labels.get(model, model), words, colours)
    return page.figure


def _draw_model(
    page: Page,
    corner: tuple[float, float],
    own: pd.DataFrame,
    label: str,
    words: float,
    colours: Mapping[str, str],
) -> None:
    x, y = corner
    page.write(x, y + 0.08, label, weight="bold")
    values = own["cosine_distance"]
    mean, largest = float(values.mean()), float(values.max())
    page.write(x, y + 0.24, f"mean of {len(own)} words {mean:.2g}", color=SOFT)
    left, top = x + words + 0.08, y + HEAD
    shown = own.sort_values("rank", kind="stable").head(MOST)
    scale = BAR / largest if largest > 0 else 0.0
    for row, line in enumerate(shown.itertuples()):
        middle = top + (row + 0.5) * ROW
        fact: Any = line
        page.write(left - 0.08, middle, short(fact.word), ha="right")
        value = float(fact.cosine_distance)
        start = page.left + left
        colour = colours["" if pd.isna(fact.category) else fact.category]
        add_line(
            page.canvas, [start, start + scale * value], [page.top + middle] * 2, color=colour,
            lw=6, solid_capstyle="butt",
        )  # fmt: skip
        page.write(left + BAR + NUMBER, middle, f"{value:.2g}", color=SOFT, ha="right")
    at = page.left + left + scale * mean
    reach = [page.top + top, page.top + top + len(shown) * ROW]
    add_line(page.canvas, [at, at], reach, color=INK, lw=0.9, zorder=0)
    add_line(page.canvas, [page.left + left] * 2, reach, color=FAINT, lw=0.7)
