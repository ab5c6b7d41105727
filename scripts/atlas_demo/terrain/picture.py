"""Show what terrain networks draw from the same noise, side by side."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from atlas.plots import style

SIDE = 1.25
"""Of one map, in inches."""


def draw(maps: Mapping[str, np.ndarray], *, difficulties: Sequence[float], title: str) -> Figure:
    """
    Return a figure: a column for each network, a row for each difficulty.

    Parameters
    ----------
    maps
        Label to heights, (difficulties, height, width), about −1 to 1.
    difficulties
        1 to 100, in the order of the maps.
    title
        What the figure shows.
    """
    with style.applied():
        figure = Figure(
            figsize=(SIDE * len(maps) + 1.4, SIDE * len(difficulties) + 1.1),
            layout=ConstrainedLayoutEngine(h_pad=0.03, w_pad=0.03, rect=(0.008, 0, 0.99, 0.86)),
        )
        panels = figure.subplots(len(difficulties), len(maps), squeeze=False)
        for column, (label, heights) in zip(panels.T, maps.items(), strict=True):
            column[0].set_title(label, fontsize=style.SMALL)
            for panel, height in zip(column, heights, strict=True):
                panel.imshow(_shaded(height))
                panel.set(xticks=[], yticks=[])
        for panel, difficulty in zip(panels[:, 0], difficulties, strict=True):
            panel.set_ylabel(
                f"difficulty\n{difficulty:g}",
                rotation=0,
                ha="right",
                va="center",
                fontsize=style.SMALL,
            )
        figure.text(0.01, 0.98, title, fontsize=style.TITLE, weight="bold", va="top")
        figure.text(0.01, 0.905, _subtitle(maps), fontsize=style.TEXT, color=style.SOFT, va="top")
        return figure


def _subtitle(maps: Mapping[str, np.ndarray]) -> str:
    size = next(iter(maps.values())).shape[-1]
    return f"{len(maps)} networks · maps of {size} × {size} heights · dark is low, light is high"


def _shaded(height: np.ndarray) -> np.ndarray:
    """Return colours (height, width, 4) of one height map, lit from the top left."""
    light = LightSource(azdeg=315, altdeg=45)
    shaded: np.ndarray = light.shade(
        height,
        cmap=mpl.colormaps["cividis"],
        vmin=-1.0,
        vmax=0.6,
        vert_exag=6,
        blend_mode="soft",
    )
    return shaded
