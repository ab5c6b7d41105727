"""The maps of a dataset as a picture: a panel for each model, layer and timestep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from atlas.plots.layout import Mark, Page, open_page
from atlas.plots.style import FAINT, FAR_TO_NEAR, PLAIN, QUALITATIVE, SMALL, SOFT, applied

PANEL, GAP, HEAD = 2.3, 0.12, 0.34
"""Side of a panel, space between two, and height of a panel's words, in inches."""
WIDEST = 4
"""Panels in a row, at most; a row for each model where that many suffice."""
RAMP = FAR_TO_NEAR[1:]
"""Colours of numbers: light where small, dark where large, and none that white paper swallows."""

Place = tuple[str, str, float]
"""Model, layer and time."""


@dataclass(frozen=True)
class Colouring:
    """What the points' colours mean."""

    column: str
    classes: tuple[str, ...]
    """In the legend's order; none where the column is of numbers."""
    range: tuple[float, float] | None


def colouring(points: pd.DataFrame, column: str | None) -> Colouring | None:
    """Return how a column colours points; None where there is no column, or too many classes."""
    if column is None:
        return None
    values = points[column].dropna()
    if pd.api.types.is_float_dtype(values):
        return Colouring(column, (), (float(values.min()), float(values.max())))
    classes = tuple(str(value) for value in sorted(values.unique(), key=_natural))
    return Colouring(column, classes, None) if len(classes) <= 2 * len(QUALITATIVE) else None


def _natural(value: Any) -> tuple[int, float, str]:
    return (0, float(value), "") if isinstance(value, int | np.integer) else (1, 0.0, str(value))


def draw(
    points: pd.DataFrame,
    *,
    title: str,
    subtitle: str,
    column: str | None,
    remarks: Mapping[Place, str],
    notes: Sequence[str] = (),
) -> Figure:
    """
    Draw one panel for each model, layer and time.

    Parameters
    ----------
    points
        Rows of umap.csv: model, layer, timestep, kind, x, y and the column.
    column
        Of the colours.
    remarks
        What is said below the name of a panel.
    """
    models: list[str] = list(points["model"].unique())
    panels: list[tuple[Any, pd.DataFrame]] = sorted(
        points.groupby(["model", "layer", "timestep"], sort=False),
        key=lambda panel: models.index(panel[0][0]),
    )
    of_each = len(panels) // len(models)
    columns = of_each if 1 < of_each <= WIDEST else min(len(panels), WIDEST)
    rows = -(-len(panels) // columns)
    colours = colouring(points, column)
    scale = 0.5 if colours is not None and colours.range is not None else 0.0
    with applied():
        page = open_page(
            title=title,
            subtitle=subtitle,
            width=columns * (PANEL + GAP) - GAP,
            height=rows * (PANEL + HEAD + GAP) - GAP + scale,
            legend=_legend(colours, points),
            notes=notes,
        )
        has_times = points["timestep"].nunique() > 1
        for number, (place, panel) in enumerate(panels):
            x = number % columns * (PANEL + GAP)
            y = number // columns * (PANEL + HEAD + GAP)
            name = f"{place[0]} · {place[1]}"
            name += f" · at {place[2]:g}" if has_times else ""
            page.write(x, y + 0.08, name, weight="bold")
            page.write(x, y + 0.23, remarks.get(place, ""), color=SOFT)
            axes = page.axes(x, y + HEAD, PANEL, PANEL)
            _scatter(axes, panel, colours)
        if colours is not None and colours.range is not None:
            _ramp(page, rows * (PANEL + HEAD + GAP), colours)
    return page.figure


def _legend(colours: Colouring | None, points: pd.DataFrame) -> list[Mark]:
    marks = []
    if colours is not None:
        marks = [
            Mark(_short(name), colour, "dot" if shape == "o" else "diamond")
            for name, (colour, shape) in _looks(colours).items()
        ]
    if (points["kind"] == "real").any():
        marks.append(Mark("real image", FAINT))
    return marks


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _looks(colours: Colouring) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each class; another marker where colours come round again."""
    each = enumerate(colours.classes)
    count = len(QUALITATIVE)
    return {name: (QUALITATIVE[place % count], "oD"[place // count]) for place, name in each}


def _scatter(axes: Any, panel: pd.DataFrame, colours: Colouring | None) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_box_aspect(1)
    for side in axes.spines.values():
        side.set(visible=True, color=FAINT)
    size = float(np.clip(2500 / len(panel), 1.5, 22))
    real = panel[panel["kind"] == "real"]
    drawn = panel[panel["kind"] != "real"]
    axes.scatter(real["x"], real["y"], s=size, c=FAINT, linewidths=0)
    look: dict[str, Any] = {"linewidths": 0.3 if size > 8 else 0, "edgecolors": "white"}
    for part, colour, shape in _parts(drawn, colours):
        if shape == "D":  # hollow, as in the legend
            look = {"facecolors": "white", "edgecolors": colour, "linewidths": 0.9}
            axes.scatter(part["x"], part["y"], marker=shape, s=0.55 * size, **look)
        else:
            axes.scatter(part["x"], part["y"], c=colour, marker=shape, s=size, **look)
    axes.margins(0.06)


def _parts(
    drawn: pd.DataFrame, colours: Colouring | None
) -> Iterator[tuple[pd.DataFrame, Any, str]]:
    """Yield points of one look, their colour or colours, and their marker."""
    if colours is None:
        yield drawn, PLAIN, "o"
    elif colours.range is not None:
        shares = Normalize(*colours.range)(drawn[colours.column].to_numpy(float))
        yield drawn, ramp()(shares), "o"
    else:
        names = drawn[colours.column].map(str)
        for name, (colour, shape) in _looks(colours).items():
            yield drawn[names == name], colour, shape


def ramp() -> Colormap:
    """Return the colours of numbers."""
    return LinearSegmentedColormap.from_list("numbers", RAMP)


def _ramp(page: Page, y: float, colours: Colouring) -> None:
    """Draw the scale of a column of numbers."""
    axes = page.axes(0, y + 0.02, 2.3, 0.12)
    assert colours.range is not None
    bar = page.figure.colorbar(
        ScalarMappable(Normalize(*colours.range), ramp()), cax=axes, orientation="horizontal"
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2)
    page.write(2.45, y + 0.08, colours.column, color=SOFT)
