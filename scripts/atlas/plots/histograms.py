"""A pair: strips of its blocks, and histograms of its tensors, one row of panels per role."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from atlas.measures import SHOWN
from atlas.plots import style
from atlas.plots.context import SEPARATOR
from atlas.plots.layout import Page, open_page
from atlas.plots.marks import Mark
from atlas.plots.pair_strips import Strips
from atlas.plots.style import FAINT, SMALL, SOFT
from atlas.plots.words import (
    COMPONENT_TITLES,
    ROLE_TITLES,
    counted,
    role_title,
    significant,
    titled,
)
from atlas.relations.moved import within_pair

PARTS = ("unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3", "ema")
COMPONENT_COLOURS = dict(zip(PARTS, style.QUALITATIVE, strict=False)) | {
    "network": style.QUALITATIVE[0]  # of a model without parts, so it never stands beside a UNet
}
MEASURES_SHOWN = ("l2", "relative_l2")
NOT_COMPARED = ("shape", "only_a", "only_b", "nonfinite", "refused")
UNKNOWN_COLOUR = style.WITHOUT_FAMILY
BINS = 48
"""About so many bins across a panel, an even number per decade."""

GUTTER, PANEL, GAP, HEIGHT, SCALE = 1.55, 3.1, 0.45, 0.95, 0.4
"""Inches: the column of roles, a panel's width, the gap beside it, a row, the scale below."""


@dataclass(frozen=True, eq=False)
class Tensors:
    """The columns of a pair's table that the histograms need."""

    component: NDArray[np.str_]
    role: NDArray[np.str_]
    status: NDArray[np.str_]
    distances: dict[str, NDArray[np.float64]]
    """Measure to one value per tensor, NaN where not compared."""

    @property
    def moved(self) -> NDArray[np.bool_]:
        """Which tensors were compared and lie apart."""
        return np.asarray(np.isfinite(self.distances["l2"]) & (self.distances["l2"] > 0))


def draw(pair: pa.Table, blocks: pa.Table, *, a: str, b: str) -> Figure:
    """
    Draw the strips and histograms of a pair; a and b are the labels of its models.

    Parameters
    ----------
    pair
        One row per tensor, with the columns component, role, status, l2 and relative_l2.
    blocks
        The tidy distances of the two models.
    """
    with style.applied():
        return _draw(_tensors(pair), Strips.of(within_pair(blocks)), a, b)


def _tensors(pair: pa.Table) -> Tensors:
    def text(column: str) -> NDArray[np.str_]:
        return np.array(pair[column].to_pylist(), dtype=str)

    return Tensors(
        component=text("component"),
        role=text("role"),
        status=text("status"),
        distances={
            name: np.array(pair[name].to_pylist(), dtype=np.float64) for name in MEASURES_SHOWN
        },
    )


def _draw(tensors: Tensors, strips: Strips, a: str, b: str) -> Figure:
    roles = _roles(tensors)
    components = _components(tensors)
    page = open_page(
        title=_title(tensors, a, b),
        subtitle=_subtitle(tensors),
        width=GUTTER + max(2 * (PANEL + GAP), strips.width),
        height=strips.height + max(len(roles), 1) * HEIGHT + (SCALE if components else 0.0),
        legend=[*(Mark(titled(c), _colour(c), "bar") for c in components), *strips.marks()],
        notes=[
            "Identical tensors have no place on a log scale: they are counted beside the panels.",
            *strips.notes(),
        ],
    )
    strips.draw(page, GUTTER)
    for column, measure in enumerate(MEASURES_SHOWN):
        bars = _bars(tensors, roles, components, measure)
        drawn = sum(map(bars.drawn, roles))
        for row, role in enumerate(roles):
            x, y = GUTTER + column * (PANEL + GAP), strips.height + _top(row, drawn) + 0.1
            axes = page.axes(x, y, PANEL, HEIGHT - 0.22)
            if bars.drawn(role):
                _draw_panel(axes, bars, role, last=row == drawn - 1)
            else:
                _write_empty(axes, tensors, role)
    moved = len(set(tensors.role[tensors.moved].tolist()))
    for row, role in enumerate(roles):
        _write_role(page, strips.height + _top(row, moved), role, tensors)
    return page.figure


@dataclass(frozen=True, eq=False)
class Bars:
    """The bars of one measure in all its panels, which share their scales."""

    measure: str
    edges: NDArray[np.float64]
    """Empty if no tensor has a distance."""
    counts: dict[tuple[str, str], NDArray[np.int_]]
    """Role and component to the number of tensors between each two edges."""

    @property
    def highest(self) -> int:
        """The largest count of all panels."""
        return max((int(counts.max()) for counts in self.counts.values()), default=1)

    def drawn(self, role: str) -> bool:
        """Return whether the role's panel has any bar."""
        return any(counts.any() for (found, _), counts in self.counts.items() if found == role)


def _bars(tensors: Tensors, roles: list[str], components: list[str], measure: str) -> Bars:
    values = tensors.distances[measure]
    shown = tensors.moved & np.isfinite(values) & (values > 0)
    if not shown.any():
        return Bars(measure, np.empty(0), {})
    edges = _edges(values[shown])
    counts = {}
    for role in roles:
        for component in components:
            mine = shown & (tensors.role == role) & (tensors.component == component)
            counts[role, component] = np.histogram(values[mine], edges)[0]
    return Bars(measure, edges, counts)


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges a little beyond the values, or whole decades where these span less than one."""
    low, high = float(np.log10(values.min())), float(np.log10(values.max()))
    if high - low < 1:
        low, high = np.floor(low), np.floor(high) + 1
    per_decade = max(1, round(BINS / (high - low)))
    steps = np.arange(np.floor(low * per_decade) - 1, np.ceil(high * per_decade) + 2)
    return np.asarray(10 ** (steps / per_decade))


def _components(tensors: Tensors) -> list[str]:
    """Return the components with tensors that differ, in the order of COMPONENT_TITLES."""
    found = set(tensors.component[tensors.moved].tolist())
    return [name for name in COMPONENT_TITLES if name in found] + sorted(
        found - set(COMPONENT_TITLES)
    )


def _colour(component: str) -> str:
    return COMPONENT_COLOURS.get(component, UNKNOWN_COLOUR)


def _roles(tensors: Tensors) -> list[str]:
    """Return the roles there are, those without a bar last: the scale is below the others."""
    found = set(tensors.role.tolist())
    order = [role for role in ROLE_TITLES if role in found] + sorted(found - set(ROLE_TITLES))
    moved = set(tensors.role[tensors.moved].tolist())
    return sorted(order, key=lambda role: role not in moved)


def _title(tensors: Tensors, a: str, b: str) -> str:
    total, moved = len(tensors.status), int(tensors.moved.sum())
    pair = f"{a} and {b}"
    if not total:
        return f"{pair}: no tensors"
    apart = int(np.isin(tensors.status, NOT_COMPARED).sum())
    if apart == total:
        return f"{pair}: none of {counted(total, 'tensor')} could be compared"
    if not moved and apart:
        return f"{pair}: no difference in {counted(total - apart, 'tensor')}, {apart} not compared"
    if not moved:
        return f"{pair}: no tensor differs"
    return f"{pair}: {moved} of {counted(total, 'tensor')} differ"


def _subtitle(tensors: Tensors) -> str:
    counts = Counter(tensors.status.tolist())
    apart = sum(counts[status] for status in NOT_COMPARED)
    parts = [
        "Distance per tensor, by role",
        f"{counts['identical']} identical",
        f"{apart} not compared",
        "log counts, log distances" if tensors.moved.any() else "",
    ]
    return SEPARATOR.join(part for part in parts if part)


def _top(row: int, drawn: int) -> float:
    """Return where a role's row begins: below the scale if it comes after the rows with bars."""
    return row * HEIGHT + (SCALE if 0 < drawn <= row else 0.0)


def _write_role(page: Page, top: float, role: str, tensors: Tensors) -> None:
    mine = tensors.role == role
    status = tensors.status[mine]
    apart = int(np.isin(status, NOT_COMPARED).sum())
    lines = [
        counted(int(mine.sum()), "tensor"),
        f"{int((status == 'identical').sum())} identical",
        f"{apart} not compared" if apart else "",
    ]
    top += 0.2
    page.write(0.0, top, role_title(role), weight="bold")
    for number, line in enumerate(lines, start=1):
        page.write(0.0, top + 0.165 * number, line, color=SOFT)


def _draw_panel(axes: Any, bars: Bars, role: str, *, last: bool) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(bars.edges[0], bars.edges[-1])
    axes.set_ylim(0.6, max(bars.highest, 10) * 1.6)
    for (found, component), counts in bars.counts.items():
        if found == role and counts.any():
            _draw_bars(axes, counts, bars.edges, _colour(component))
    _style_axes(axes, bars.measure, last=last)


def _draw_bars(axes: Any, counts: NDArray[np.int_], bins: NDArray[np.float64], colour: str) -> None:
    floor = np.where(counts > 0, counts, 0.1)
    axes.stairs(floor, bins, baseline=0.1, fill=True, color=colour, alpha=0.28, lw=0)
    axes.stairs(floor, bins, baseline=0.1, color=colour, lw=1.1)


def _style_axes(axes: Any, measure: str, *, last: bool) -> None:
    plain = FuncFormatter(lambda value, _: significant(value, 1))
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.tick_params(length=2.5, width=0.6, labelbottom=last)
    axes.grid(color=FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    if last:
        facts = SHOWN[measure]
        axes.set_xlabel(f"{facts.title} per tensor ({facts.unit})", fontsize=SMALL)


def _write_empty(axes: Any, tensors: Tensors, role: str) -> None:
    """Say in a panel without bars why it has none."""
    status = tensors.status[tensors.role == role]
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if np.isin(status, NOT_COMPARED).all():
        reason = "nothing compared"
    elif (status == "identical").all():
        reason = "all identical"
    else:
        reason = "none of the compared tensors differs"
    axes.text(
        0.5,
        0.5,
        reason,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=SOFT,
        fontsize=SMALL,
    )
