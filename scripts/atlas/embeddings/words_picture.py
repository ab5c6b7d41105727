"""Maps of words as a picture: a panel for each text encoder, as it is and turned onto the base."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atlas.embeddings.word_maps import ALIGNED, RAW
from atlas.plots import placement
from atlas.plots.layout import Mark, Page, open_page
from atlas.plots.marks import add_line
from atlas.plots.style import FAINT, INK, PLAIN, QUALITATIVE, SMALL, SOFT, applied, text_width

PANEL, GAP, HEAD = 2.75, 0.18, 0.36
"""Side of a panel, space between two, and height of a panel's words, in inches."""
FOOT = 0.28
"""Height of the words below a row of panels."""
WIDEST = 4
"""Panels in a row."""
MOST = 12
"""Encoders in a picture: the base, and those whose words moved most."""
NAMED, NAMED_IN_BASE = 8, 14
"""Words that are written into a panel, where there is room."""
DOT = 0.035
"""Radius of a point in inches."""
FARTHEST = 0.4
"""Inches from a point to its word; one that finds no nearer place is not written."""

KINDS = {RAW: "as they are", ALIGNED: "turned and shifted onto the base's"}
"""What a map is of."""

Places = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """One text encoder."""

    model: str
    """By whom it is called in the tables."""
    title: str
    remark: str
    named: tuple[str, ...]
    """Words to be written beside their points, the first ones first."""


def draw(
    points: pd.DataFrame,
    panels: Sequence[Panel],
    *,
    title: str,
    subtitle: str,
    notes: Sequence[str] = (),
) -> Figure:
    """
    Draw one space: the base's panel first, and in the others lines from where its words lay.

    Parameters
    ----------
    points
        Rows of pca.csv of one component and form, of words standing alone.
    panels
        The base first.
    """
    lines = -(-len(panels) // WIDEST)
    columns = -(-len(panels) // lines)
    height = PANEL + HEAD + FOOT
    colours = category_colours(points)
    legend = [Mark(name, colour) for name, colour in colours.items() if name]
    with applied():
        page = open_page(
            title=title,
            subtitle=subtitle,
            width=columns * (PANEL + GAP) - GAP,
            height=len(KINDS) * lines * height,
            legend=[*legend, Mark("where the base has the word", FAINT)],
            notes=notes,
        )
        for row, kind in enumerate(KINDS):
            of_it = points[points["alignment"] == kind]
            scale = _Scale(of_it[["x", "y"]].to_numpy(float))
            for number, panel in enumerate(panels):
                x = number % columns * (PANEL + GAP)
                y = (2 * (number // columns) + row) * height
                page.write(x, y + 0.08, panel.title, weight="bold")
                page.write(x, y + 0.23, panel.remark, color=SOFT)
                _draw_panel(page, (x, y + HEAD), of_it, panel, panels[0].model, scale, colours)
                if number % columns == 0:
                    told = f"{KINDS[kind]} · {_axes(of_it)}"
                    page.write(x, y + HEAD + PANEL + 0.1, told, color=SOFT)
    return page.figure


def _axes(points: pd.DataFrame) -> str:
    if "explained_x" not in points or points["explained_x"].isna().any():
        return "distances on this map mean little; who lies beside whom does"
    first, second = points.iloc[0][["explained_x", "explained_y"]]
    return f"across: component 1, {first:.0%} of the variance; up: component 2, {second:.0%}"


def category_colours(points: pd.DataFrame) -> dict[str, str]:
    """Return the colour of each category; one for all where there are too many, or none."""
    names = sorted(points["category"].fillna("").unique())  # as the viewer has them
    if len(names) > len(QUALITATIVE) or names == [""]:
        return dict.fromkeys(names, PLAIN)
    return dict(zip(names, QUALITATIVE, strict=False))


class _Scale:
    """Brings all points of a kind of map into the square of a panel, at one scale."""

    def __init__(self, places: Places) -> None:
        low, high = places.min(axis=0), places.max(axis=0)
        self.centre = (low + high) / 2
        self.extent = float(max((high - low).max(), 1e-12)) * 1.16

    def inches(self, places: Places) -> Places:
        """Return places in inches from a panel's top left corner, y downwards."""
        across: Places = ((places - self.centre) / self.extent + 0.5) * PANEL
        across[:, 1] = PANEL - across[:, 1]
        return across


def _draw_panel(
    page: Page,
    corner: tuple[float, float],
    points: pd.DataFrame,
    panel: Panel,
    base: str,
    scale: _Scale,
    colours: Mapping[str, str],
) -> None:
    _frame(page, corner)
    own = points[points["model"] == panel.model]
    before = points[points["model"] == base]
    places = scale.inches(own[["x", "y"]].to_numpy(float))
    origins = scale.inches(before[["x", "y"]].to_numpy(float))
    shift = np.array([page.left + corner[0], page.top + corner[1]])
    segments = np.stack([origins, places], axis=1)
    if panel.model != base:
        for (x0, y0), (x1, y1) in segments + shift:
            add_line(page.canvas, [x0, x1], [y0, y1], color=FAINT, lw=0.8, zorder=1)
        _dots(page, origins + shift, [FAINT] * len(origins), 3.2, 2)
    shades = [colours[name] for name in own["category"].fillna("")]
    _dots(page, places + shift, shades, 4.6, 3)
    _name(page, shift, own, places, segments if panel.model != base else None, panel.named)


def _frame(page: Page, corner: tuple[float, float]) -> None:
    x, y = page.left + corner[0], page.top + corner[1]
    outline = [x, x + PANEL, x + PANEL, x, x], [y, y, y + PANEL, y + PANEL, y]
    add_line(page.canvas, *outline, color=FAINT, lw=0.7, zorder=0)


def _dots(page: Page, places: Places, colours: Sequence[str], size: float, zorder: int) -> None:
    page.canvas.scatter(
        places[:, 0], places[:, 1], s=size**2, c=list(colours), linewidths=0.4,
        edgecolors="white", zorder=zorder,
    )  # fmt: skip


def _name(
    page: Page,
    shift: Places,
    own: pd.DataFrame,
    places: Places,
    segments: Places | None,
    named: Sequence[str],
) -> None:
    """Write words beside their points, as many as find room."""
    at = {word: place for place, word in enumerate(own["word"])}
    chosen = [at[word] for word in named if word in at]
    others = np.delete(places, chosen, axis=0) if chosen else places
    obstacles = np.column_stack([others - DOT, others + DOT])
    bounds = (0.03, 0.03, PANEL - 0.03, PANEL - 0.03)
    while chosen:
        words = [short(own["word"].iloc[place]) for place in chosen]
        labels = placement.place(
            places[chosen],
            [(text_width(word, SMALL), SMALL / 72 * 1.05) for word in words],
            bounds=bounds,
            radius=DOT,
            lines=segments,
            obstacles=obstacles,
        )
        far = [] if labels is None else [at for at, each in enumerate(labels) if _is_far(each)]
        if labels is not None and not far:
            break
        chosen.pop(far[-1] if far else -1)
    else:
        return
    for word, label in zip(words, labels, strict=True):
        left, top = label.left + shift[0], label.top + shift[1]
        page.canvas.text(
            left, top + label.height / 2, word, fontsize=SMALL, color=INK, va="center", ha="left",
            zorder=5,
        )  # fmt: skip
        if label.leader is not None:
            (x0, y0), (x1, y1) = np.array(label.leader) + shift
            add_line(page.canvas, [x0, x1], [y0, y1], color=SOFT, lw=0.5, zorder=4)


def _is_far(label: placement.Label) -> bool:
    if label.leader is None:
        return False
    (x0, y0), (x1, y1) = label.leader
    return math.hypot(x1 - x0, y1 - y0) > FARTHEST


def short(text: str) -> str:
    """Return a word as a picture has room for it."""
    return text if len(text) <= 18 else f"{text[:17]}…"
