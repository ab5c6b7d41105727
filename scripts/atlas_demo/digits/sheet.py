"""Draw a sheet of the digits that a model drew: a row for each digit, a column for each caption."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from atlas.plots import style
from atlas_demo.digits.denoiser import DIGITS
from atlas_demo.digits.drawing import Drawn

FRAME = "#d55e00"
"""Vermillion of the colour-blind-safe palette of Okabe and Ito."""

CELL, LEFT, RIGHT, ABOVE, BELOW, LINE = 0.62, 0.8, 0.45, 1.2, 0.3, 0.19
"""Of a picture, of what is beside, above and below the pictures, and of a line; inches."""


def draw(drawn: Drawn, *, captions: Mapping[str, Any]) -> Figure:
    """
    Return a figure with the first picture of each digit and template.

    Parameters
    ----------
    drawn
        At least as many pictures of each digit as there are templates.
    captions
        `templates` and `words`, as in config/demo/digits.yaml.
    """
    templates = captions["templates"]
    width = LEFT + CELL * len(templates) + RIGHT
    height = ABOVE + CELL * DIGITS + BELOW + LINE * len(templates)
    with style.applied():
        figure = Figure(figsize=(width, height))
        panels = figure.subplots(DIGITS, len(templates))
        figure.subplots_adjust(
            left=LEFT / width,
            right=1 - RIGHT / width,
            top=1 - ABOVE / height,
            bottom=(BELOW + LINE * len(templates)) / height,
            wspace=0.06,
            hspace=0.06,
        )
        _fill(panels, drawn)
        for panel, words in zip(panels[:, 0], captions["words"], strict=True):
            panel.set_ylabel(words[0], rotation=0, ha="right", va="center")
        for number, panel in enumerate(panels[0], start=1):
            panel.set_title(str(number), fontsize=style.SMALL, pad=3)
        _write_texts(figure, drawn, templates)
    return figure


def _fill(panels: np.ndarray, drawn: Drawn) -> None:
    """Put the first pictures of each digit into its row, and frame what is read as another."""
    pictures = drawn.pictures.reshape(DIGITS, -1, *drawn.pictures.shape[1:])
    is_right = drawn.readings["drawn"].is_right.reshape(DIGITS, -1)
    panel: Axes
    for place, panel in np.ndenumerate(panels):
        panel.imshow(pictures[place], cmap="gray", vmin=-1, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set(visible=not is_right[place], color=FRAME, linewidth=3)


def _write_texts(figure: Figure, drawn: Drawn, templates: list[str]) -> None:
    """Put the finding above the pictures, and the columns' captions below."""
    width, height = figure.get_size_inches()
    right, real = drawn.readings["drawn"].is_right, drawn.readings["real"].is_right
    title = f"{right.sum()} of {len(right)} drawn digits are read as the digit asked for"
    subtitle = (
        f"by a classifier that reads {real.mean():.1%} of {len(real)} unseen real digits rightly.\n"
        f"The first {DIGITS * len(templates)} are shown; framed: read as another digit."
    )
    legend = "\n".join(
        f"{number}  “{template.format('…')}”" for number, template in enumerate(templates, start=1)
    )
    left = 0.15 / width
    line: dict[str, Any] = {"va": "top", "linespacing": 1.4}
    figure.text(left, 1 - 0.12 / height, title, fontsize=style.TITLE, weight="bold", va="top")
    figure.text(left, 1 - 0.42 / height, subtitle, color=style.SOFT, fontsize=style.TEXT, **line)
    below = 1 - (ABOVE + CELL * DIGITS + 0.15) / height
    figure.text(LEFT / width, below, legend, fontsize=style.TEXT, **line)
