"""The bar below cells that tells which distances their colours stand for."""

import numpy as np

from atlas.plots.cells import colour_map
from atlas.plots.layout import Page
from atlas.plots.spread import Spread
from atlas.plots.style import SMALL, SOFT
from atlas.plots.words import significant

BAR = 0.75
"""Inches that the bar takes below the cells, with its words."""
TICKS = 5
"""At even steps of colour."""


def draw_bar(page: Page, scale: Spread, title: str, x: float, y: float, width: float) -> None:
    """
    Draw the colours in even steps, and below them the distances that they stand for.

    Parameters
    ----------
    title
        What is measured.
    width
        Inches of what it stands below; the bar is 2.2 to 4 wide.
    """
    axes = page.axes(x, y, max(min(width, 4.0), 2.2), 0.13)
    axes.imshow(
        np.linspace(0.0, 1.0, 256)[None],
        cmap=colour_map(),
        extent=(0.0, 1.0, 0.0, 1.0),
        aspect="auto",
        interpolation="none",
    )
    axes.spines[:].set_visible(False)
    places = np.linspace(0.0, 1.0, TICKS)
    axes.set_xticks(places, [significant(scale.value(place), 3) for place in places])
    axes.set_yticks([])
    axes.tick_params(length=2.5, width=0.6)
    axes.set_xlabel(f"{title}: dark is close", fontsize=SMALL, color=SOFT)
