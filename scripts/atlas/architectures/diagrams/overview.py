"""One picture of all architectures: parameters against MACs per step, bubbles by resolution."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atlas.architectures.diagrams.style import count, macs
from atlas.architectures.portraits import Portrait
from atlas.basis.tables import replacing
from atlas.plots.placement import place

FAMILIES = {"UNet": "#0072b2", "DiT": "#e69f00", "MMDiT": "#009e73"}
"""Okabe and Ito's colours."""

LABEL = 8
"""Points of a label's letters."""

AREA = 130
"""Of the bubble of a 1024 x 1024 image, in square points."""


def draw(portraits: Sequence[Portrait], svg: Path, png: Path) -> None:
    """Draw the overview; both axes are logarithmic."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9, "svg.hashsalt": "atlas"}):
        figure = Figure(figsize=(11.0, 7.6), layout="constrained")
        axes = figure.add_subplot()
        _set_up(axes)
        for portrait in portraits:
            axes.scatter(
                portrait.structure.parameters,
                step_macs(portrait),
                s=_area(portrait.side),
                color=FAMILIES[portrait.kind],
                alpha=0.75,
                edgecolor="white",
                linewidth=0.8,
                zorder=3,
            )
        _add_legend(axes, portraits)
        figure.suptitle(_claim(portraits), x=0.01, ha="left", fontsize=13, fontweight="bold")
        axes.set_title(
            f"{len(portraits)} architectures; one image at the native resolution, guidance "
            "included; denoiser only, both axes logarithmic",
            loc="left", fontsize=9, color="#4a5362",
        )  # fmt: skip
        figure.draw_without_rendering()
        # Labels are placed on the page as it is now: nothing may move once they are.
        figure.set_layout_engine("none")
        _add_labels(axes, portraits)
        _save(figure, svg, png)


def step_macs(portrait: Portrait) -> int:
    """Return the MACs of one sampling step: of all forwards that guidance needs."""
    return portrait.structure.macs * portrait.forwards_per_step


def _set_up(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters of the denoiser")
    axes.set_ylabel("MACs per step")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _round(count(value))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _round(macs(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(0.1)
    axes.grid(which="major", color="#e3e6ea", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def _round(text: str) -> str:
    """
    Write a round number of the scale without zeros behind its point.

    >>> _round("5.00 b"), _round("10.0 TMAC"), _round("500 M")
    ('5 b', '10 TMAC', '500 M')
    """
    number, _, unit = text.partition(" ")
    return f"{float(number):g} {unit}"


def _claim(portraits: Sequence[Portrait]) -> str:
    """Say between which architectures the cost of a step lies."""
    ordered = sorted(portraits, key=step_macs)
    low, high = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"A step of {low.label} costs {macs(step_macs(low))}"
    return (
        f"A step costs from {macs(step_macs(low))} ({low.label}) "
        f"to {macs(step_macs(high))} ({high.label})"
    )


def _add_legend(axes: Any, portraits: Sequence[Portrait]) -> None:
    from matplotlib.lines import Line2D

    def dot(colour: str, side: int, label: str) -> Line2D:
        size = _area(side) ** 0.5
        return Line2D([], [], marker="o", ls="", color=colour, markersize=size, label=label)

    kinds = [kind for kind in FAMILIES if any(p.kind == kind for p in portraits)]
    sides = sorted({portrait.side for portrait in portraits})
    handles = [dot(FAMILIES[kind], 1024, kind) for kind in kinds]
    handles += [dot("#9aa1ac", side, f"{side} × {side} pixels") for side in sides]
    axes.legend(handles=handles, loc="upper left", frameon=False, labelspacing=0.7)


def _add_labels(axes: Any, portraits: Sequence[Portrait]) -> None:
    """Label every bubble, off all bubbles, labels and the legend; far labels have a line."""
    figure = axes.figure
    points = axes.transData.transform([(p.structure.parameters, step_macs(p)) for p in portraits])
    sizes = [_extent(axes, portrait.label).bounds[2:] for portrait in portraits]
    labels = place(
        _inches(figure, points),
        [(width / figure.dpi, height / figure.dpi) for width, height in sizes],
        bounds=_box(figure, axes.get_window_extent()),
        radius=max(_radius(portrait.side) for portrait in portraits),
        obstacles=np.array([_box(figure, axes.get_legend().get_window_extent())]),
    )
    for portrait, label in zip(portraits, labels or [], strict=False):
        _write(axes, portrait.label, label)


def _write(axes: Any, text: str, label: Any) -> None:
    """Write a label where it found its place, and its line."""
    height = axes.figure.get_figheight()
    across = axes.figure.dpi_scale_trans
    x, y = label.centre
    axes.text(x, height - y, text, fontsize=LABEL, transform=across, ha="center", va="center")
    if label.leader is not None:
        (x0, y0), (x1, y1) = label.leader
        axes.plot([x0, x1], [height - y0, height - y1], color="#8a93a1", lw=0.6, transform=across)


def _extent(axes: Any, text: str) -> Any:
    """Return the box of a label in pixels."""
    written = axes.text(0, 0, text, fontsize=LABEL)
    box = written.get_window_extent()
    written.remove()
    return box


def _inches(figure: Any, pixels: Any) -> Any:
    """Return places in inches, y downwards, of places in pixels, y upwards."""
    import numpy as np

    places = np.asarray(pixels, dtype=float) / figure.dpi
    return np.column_stack([places[:, 0], figure.get_figheight() - places[:, 1]])


def _box(figure: Any, box: Any) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom in inches of a box in pixels."""
    (left, top), (right, bottom) = _inches(figure, [[box.x0, box.y1], [box.x1, box.y0]])
    return left, top, right, bottom


def _radius(side: int) -> float:
    """Return the radius in inches of the bubble of a side in pixels."""
    return float((_area(side) / 3.1416) ** 0.5 / 72)


def _area(side: int) -> float:
    """Return the area in square points of the bubble of a side in pixels."""
    return AREA * side**2 / 1024**2 + 12


def _save(figure: Any, svg: Path, png: Path) -> None:
    with replacing(svg) as partial:
        figure.savefig(partial, format="svg", metadata={"Date": None})
    with replacing(png) as partial:
        figure.savefig(partial, format="png", dpi=130, metadata={"Software": None})
