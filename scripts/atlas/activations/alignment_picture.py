"""How alike the layers of two networks are: a square of layers, and function against weights."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from atlas.plots.layout import open_page
from atlas.plots.style import FAINT, FAR_TO_NEAR, INK, PLAIN, SMALL, SOFT, applied, text_width

CELL = 0.46
BESIDE = 3.6
"""Inches of a cell, and of the plot beside the square."""


def draw(similarity: pd.DataFrame, *, a: str, b: str, time_name: str) -> Figure:
    """
    Draw how alike each layer of one network sees the samples to each of the other, at one time.

    Parameters
    ----------
    similarity
        Rows of the table of similarities of one pair and time. Where distances of weights are
        known, they stand beside the square.
    time_name
        What the time is.
    """
    alignment = similarity
    own = similarity[similarity["layer_a"] == similarity["layer_b"]]
    moved = own.rename(columns={"layer_a": "layer"})
    rows: list[str] = list(dict.fromkeys(alignment["layer_a"]))
    columns: list[str] = list(dict.fromkeys(alignment["layer_b"]))
    square = alignment.pivot(index="layer_a", columns="layer_b", values="cka")
    values = square.reindex(index=rows, columns=columns).to_numpy(float)
    known = moved.dropna(subset=["weights"])
    left = max(text_width(name, SMALL) for name in rows) + 0.32
    below = max(text_width(name, SMALL) for name in columns) + 0.35
    width = left + CELL * len(columns)
    height = CELL * len(rows) + below
    beside = BESIDE + 0.9 if len(known) else 0.0
    with applied():
        page = open_page(
            title=_claim(similarity, moved, a, b),
            subtitle=_subtitle(similarity, time_name),
            width=width + beside,
            height=max(height, 2.9 if beside else 0.0),
            notes=[_note(similarity)],
        )
        axes = page.axes(left, 0, CELL * len(columns), CELL * len(rows))
        colours = LinearSegmentedColormap.from_list("alike", FAR_TO_NEAR)
        axes.imshow(values, cmap=colours, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            dark = value > 0.55
            axes.text(
                column, row, _short(value), ha="center", va="center", fontsize=SMALL,
                color="white" if dark else INK,
            )  # fmt: skip
        axes.set_xticks(range(len(columns)), columns, rotation=90)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set(xlabel=f"layers of {b}", ylabel=f"layers of {a}")
        if beside:
            _against_weights(page.axes(width + 0.9, 0, BESIDE - 0.2, 2.3), known)
    return page.figure


def _subtitle(similarity: pd.DataFrame, time_name: str) -> str:
    first = similarity.iloc[0]
    what = "means" if first["of"] == "mean" else "maps"
    return (
        f"{first['samples']:,} samples with the same noise and conditions · {what} of layers · "
        f"{time_name} {first['timestep']:g}"
    )


def _note(similarity: pd.DataFrame) -> str:
    spread = similarity.iloc[0]["cka_null_spread"]
    return (
        "Linear CKA, unbiased: 1 where two layers see the samples alike up to rotation and scale; "
        f"independent ones have 0 ± {spread:.2g} with this many samples."
    )


def _short(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _claim(similarity: pd.DataFrame, moved: pd.DataFrame, a: str, b: str) -> str:
    if moved["cka"].notna().any():
        ordered = moved.dropna(subset=["cka"]).sort_values("cka", kind="stable")
        least, most = ordered.iloc[0], ordered.iloc[-1]
        if len(ordered) == 1:
            return f"{a} and {b} see alike in {least['layer']}: CKA {least['cka']:.3f}"
        return (
            f"{a} and {b} are most alike in {most['layer']} (CKA {most['cka']:.3f}) and least in "
            f"{least['layer']} ({least['cka']:.3f})"
        )
    ordered = similarity.dropna(subset=["cka"]).sort_values("cka", kind="stable")
    if not len(ordered):
        return f"{a} and {b} can't be compared: what their layers give is constant"
    most = ordered.iloc[-1]
    return (
        f"Of all layers, {most['layer_a']} of {a} and {most['layer_b']} of {b} are most alike: "
        f"CKA {most['cka']:.3f}"
    )


def _against_weights(axes: Any, known: pd.DataFrame) -> None:
    """Draw how far each layer moved in function over how far its own weights moved."""
    x, y = known["weights"].to_numpy(float), 1 - known["cka"].to_numpy(float)
    axes.grid(color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    axes.plot(x, y, "o", color=PLAIN, ms=4.5)
    for name, across, up in zip(known["layer"], x, y, strict=True):
        axes.annotate(
            name, (across, up), (5, 4), textcoords="offset points", fontsize=SMALL, color=SOFT
        )
    width, height = max(float(x.max()), 1e-9), max(float(y.max()), 1e-9)
    axes.set_xlim(-0.04 * width, 1.35 * width)
    axes.set_ylim(-0.05 * height, 1.2 * height)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("moved in weights: relative rms of the layer's own")
    axes.set_ylabel("moved in function: 1 − CKA")
