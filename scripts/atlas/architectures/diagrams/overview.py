"""One picture of all architectures: parameters against MACs per step, bubbles by resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist
from pathlib import Path
from typing import Any

import numpy as np

from atlas.architectures.diagrams.style import count, macs
from atlas.architectures.naming import brief
from atlas.architectures.portraits import Portrait
from atlas.basis.errors import AtlasError
from atlas.basis.tables import replacing
from atlas.plots.placement import Label, place

FAMILIES = {"UNet": "#0072b2", "DiT": "#e69f00", "MMDiT": "#009e73"}
"""Okabe and Ito's colours."""

LABEL = 8
"""Points of a label's letters."""

AREA = 90
"""Of the bubble of a 1024 x 1024 image, in square points; areas grow as sides do."""

SIZE = (11.5, 7.6)
"""Inches of the picture where its labels find room in it."""
GROWN = 1.15
"""By which it grows until they do."""
LARGEST = 4.0
"""Times its size beyond which nobody would look at it."""
SAME = 0.04
"""Inches between bubbles that are seen as one: they share a label of several lines."""


FAR = 0.55
"""Inches of the longest line to a label, where a larger picture has shorter ones."""
LARGE = 1.6
"""Times its size up to which it grows for shorter lines."""
DOUBTFUL = " (doubtful)"


@dataclass(frozen=True)
class Spot:
    """A bubble, or several in one place: where it is on the page, and what it is called."""

    members: tuple[Portrait, ...]
    centre: tuple[float, float]
    """Inches, y downwards."""

    @property
    def text(self) -> str:
        """All names, a line each."""
        return "\n".join(
            f"{brief(member.label)}{DOUBTFUL if member.doubt else ''}" for member in self.members
        )

    @property
    def radius(self) -> float:
        """Inches."""
        return max(_radius(member.side) for member in self.members)


def draw(portraits: Sequence[Portrait], svg: Path, png: Path) -> None:
    """Draw the overview; both axes are logarithmic."""
    import matplotlib as mpl

    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9, "svg.hashsalt": "atlas"}):
        figure, _ = drawn(portraits)
        _save(figure, svg, png)


def drawn(portraits: Sequence[Portrait]) -> tuple[Any, list[tuple[Spot, Label]]]:
    """
    Return the figure, and where each bubble's label found its place.

    The figure is as large as the labels need: the more architectures, the larger.

    Raises
    ------
    AtlasError
        if there are more than any readable picture has room for.
    """
    scale = 1.0
    while scale < LARGEST:
        figure, axes = _bubbles(portraits, scale)
        spots = _spots(axes, portraits)
        labels = _labels(axes, spots)
        if labels is not None and (scale > LARGE or _is_clear(labels)):
            for spot, label in zip(spots, labels, strict=True):
                _write(axes, spot, label)
            return figure, list(zip(spots, labels, strict=True))
        scale *= GROWN
    raise AtlasError(
        f"the overview has no room for the labels of {len(portraits)} architectures; choose fewer "
        "by architectures: names"
    )


def _is_clear(labels: Sequence[Label]) -> bool:
    """Say whether all lines are short and none runs through another's label."""
    boxes = np.array([label.box for label in labels])
    for place_of, label in enumerate(labels):
        if label.leader is None:
            continue
        if dist(*label.leader) > FAR:
            return False
        others = np.delete(boxes, place_of, axis=0)
        start, end = np.array(label.leader)
        spots = start + (end - start) * np.linspace(0, 1, 50)[:, None]
        inside = (spots[:, None] > others[:, :2]) & (spots[:, None] < others[:, 2:])
        if inside.all(axis=2).any():
            return False
    return True


def _bubbles(portraits: Sequence[Portrait], scale: float) -> tuple[Any, Any]:
    """Return a figure without labels, and its axes, on which nothing moves any more."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0] * scale, SIZE[1] * scale), layout="constrained")
    axes = figure.add_subplot()
    _set_up(axes)
    # Small bubbles lie on large ones.
    for portrait in sorted(portraits, key=lambda portrait: -portrait.side):
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
    _add_legend(figure, portraits)
    figure.suptitle(_claim(portraits), x=0.01, ha="left", fontsize=13, fontweight="bold")
    axes.set_title(
        f"{len(portraits)} architectures; one image (or clip) at the native resolution, the "
        "longest text by default, guidance included; denoiser only, both axes logarithmic",
        loc="left", fontsize=9, color="#4a5362",
    )  # fmt: skip
    figure.draw_without_rendering()
    # Labels are placed on the page as it is now: nothing may move once they are.
    figure.set_layout_engine("none")
    return figure, axes


def step_macs(portrait: Portrait) -> int:
    """Return the MACs of one sampling step: of all forwards that guidance needs."""
    return portrait.structure.macs * portrait.forwards_per_step


def _set_up(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters of the denoiser")
    axes.set_ylabel("MACs per step")
    for axis, words in ((axes.xaxis, count), (axes.yaxis, macs)):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _, words=words: _round(words(value))))
    axes.margins(0.1)
    axes.grid(which="major", color="#e3e6ea", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def _round(text: str) -> str:
    """
    Write a round number of the scale without zeros behind its point.

    >>> _round("5.00 B"), _round("10.0 TMAC"), _round("500 M")
    ('5 B', '10 TMAC', '500 M')
    """
    number, _, unit = text.partition(" ")
    return f"{float(number):g} {unit}"


def _claim(portraits: Sequence[Portrait]) -> str:
    """Say between which architectures the cost of a step lies."""
    sure = [portrait for portrait in portraits if not portrait.doubt]
    ordered = sorted(sure or portraits, key=step_macs)
    low, high = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"A step of {low.label} costs {macs(step_macs(low))}"
    return (
        f"A step costs from {macs(step_macs(low))} ({low.label}) "
        f"to {macs(step_macs(high))} ({high.label})"
    )


def _add_legend(figure: Any, portraits: Sequence[Portrait]) -> None:
    """Add the legend beside the axes, so that it lies on no bubble."""
    from matplotlib.lines import Line2D

    def dot(colour: str, side: int, label: str) -> Line2D:
        size = _area(side) ** 0.5
        return Line2D([], [], marker="o", ls="", color=colour, markersize=size, label=label)

    kinds = [kind for kind in FAMILIES if any(p.kind == kind for p in portraits)]
    sides = sorted({portrait.side for portrait in portraits})
    handles = [dot(FAMILIES[kind], 1024, kind) for kind in kinds]
    handles += [dot("#9aa1ac", side, f"{side} × {side} pixels") for side in sides]
    figure.legend(handles=handles, loc="outside right center", frameon=False, labelspacing=0.9)


def _spots(axes: Any, portraits: Sequence[Portrait]) -> list[Spot]:
    """Return the bubbles, those that lie on one another as one."""
    pixels = axes.transData.transform([(p.structure.parameters, step_macs(p)) for p in portraits])
    found: list[Spot] = []
    for portrait, (x, y) in zip(portraits, _inches(axes.figure, pixels), strict=True):
        near = (i for i, spot in enumerate(found) if dist(spot.centre, (x, y)) < SAME)
        place_of = next(near, None)
        if place_of is None:
            found.append(Spot((portrait,), (float(x), float(y))))
        else:
            spot = found[place_of]
            found[place_of] = Spot((*spot.members, portrait), spot.centre)
    return found


def _labels(axes: Any, spots: Sequence[Spot]) -> list[Label] | None:
    """Return where labels go, off all bubbles and each other; None where there is no room."""
    figure = axes.figure
    sizes = [_extent(axes, spot.text).bounds[2:] for spot in spots]
    return place(
        np.array([spot.centre for spot in spots]),
        [(width / figure.dpi, height / figure.dpi) for width, height in sizes],
        bounds=_box(figure, axes.get_window_extent()),
        radius=[spot.radius for spot in spots],
    )


def _write(axes: Any, spot: Spot, label: Label) -> None:
    """Write a label where it found its place, and its line."""
    height = axes.figure.get_figheight()
    across = axes.figure.dpi_scale_trans
    x, y = label.centre
    axes.text(
        x, height - y, spot.text, fontsize=LABEL, transform=across, ha="center", va="center",
        linespacing=1.1,
    )  # fmt: skip
    if label.leader is not None:
        (x0, y0), (x1, y1) = label.leader
        axes.plot([x0, x1], [height - y0, height - y1], color="#8a93a1", lw=0.6, transform=across)


def _extent(axes: Any, text: str) -> Any:
    """Return the box of a label in pixels."""
    written = axes.text(0, 0, text, fontsize=LABEL, linespacing=1.1)
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
    return AREA * side / 1024 + 8


def _save(figure: Any, svg: Path, png: Path) -> None:
    with replacing(svg) as partial:
        figure.savefig(partial, format="svg", metadata={"Date": None})
    with replacing(png) as partial:
        figure.savefig(partial, format="png", dpi=130, metadata={"Software": None})
