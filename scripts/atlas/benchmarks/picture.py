"""The picture of what rules took: time and memory, each beside what was declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from atlas.benchmarks.summary import Row
from atlas.plots.layout import Mark, open_page
from atlas.plots.style import ACCENT, FAINT, INK, PLAIN, SMALL, SOFT, applied, text_width

Ticks = tuple[tuple[int, str], ...]
LINE = 0.21
"""Inches per rule."""
PANEL = 3.1
GAP = 0.65
TIMES: Ticks = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (36000, "10 h"),
)
SIZES: Ticks = tuple(
    (step * size, f"{step} {unit}")
    for size, unit in ((1, "MB"), (1000, "GB"), (10**6, "TB"))
    for step in (1, 3, 10, 30, 100, 300)
)


def draw(rows: Sequence[Row]) -> Figure:
    """
    Draw a line for each rule: its jobs' time and largest memory, and the limits declared.

    Parameters
    ----------
    rows
        At least one, in the order of drawing.
    """
    with applied():
        return _drawn(rows)


def _drawn(rows: Sequence[Row]) -> Figure:
    left = max(text_width(_label(row), SMALL) for row in rows) + 0.1
    height = len(rows) * LINE
    page = open_page(
        title=claim(rows),
        subtitle=f"{sum(row.jobs for row in rows):,} jobs of {len(rows)} rules · those that took "
        "most time in all stand first · logarithmic",
        width=left + 2 * PANEL + GAP,
        height=height + 0.45,
        legend=[
            Mark("median of many jobs", PLAIN, "ring"),
            Mark("the job closest to its limit", INK, "dot"),
            Mark("declared, as an upright stroke", SOFT, "line"),
            Mark("more than declared", ACCENT, "dot"),
        ],
        notes=[
            "Memory is the largest resident set that Snakemake saw: it looks twice a second, and "
            "every 30 s once a job has run for half a minute, so a short peak may be missed. Jobs "
            "under 2 s have no memory here."
        ],
    )
    panel = (page.width - left - GAP) / 2
    times = page.axes(left, 0, panel, height)
    sizes = page.axes(left + panel + GAP, 0, panel, height)
    for place, row in enumerate(rows):
        limit = None if row.declared_minutes is None else 60.0 * row.declared_minutes
        if row.jobs > 1:
            times.plot(row.seconds_median, place, "o", mfc="white", mec=PLAIN, mew=1.2, ms=7)
        _draw_amount(times, place, row.seconds_longest, limit)
        if row.mem_mb_largest is not None:
            _draw_amount(sizes, place, row.mem_mb_largest, row.declared_mem_mb)
    _finish(times, [_label(row) for row in rows], TIMES, "time of a job")
    if not any(row.sampled for row in rows):
        sizes.set_xlim(100, 1000)
        sizes.text(300, (len(rows) - 1) / 2, "no job ran for 2 s", fontsize=SMALL, ha="center")
    _finish(sizes, [""] * len(rows), SIZES, "memory of a job")
    return page.figure


def claim(rows: Sequence[Row]) -> str:
    """Say which rules went beyond what they had declared, or which came closest."""
    over = [row.rule for row in rows if max(row.mem_share or 0.0, row.time_share or 0.0) > 1]
    if over:
        return f"More than declared was taken by {', '.join(over)}"
    if not any(row.mem_share or row.time_share for row in rows):
        return "What jobs took"
    memory = max(rows, key=lambda row: row.mem_share or 0.0)
    time = max(rows, key=lambda row: row.time_share or 0.0)
    parts = [
        f"{rule} took {100 * share:.2g} % of its {what}"
        for share, what, rule in (
            (memory.mem_share, "memory", memory.rule),
            (time.time_share, "time", time.rule),
        )
        if share
    ]
    return f"Closest to what was declared: {', '.join(parts)}"


def _label(row: Row) -> str:
    return row.rule if row.jobs == 1 else f"{row.rule} × {row.jobs:,}"


def _draw_amount(axes: Any, place: int, amount: float, limit: float | None) -> None:
    """Draw what a job took, and its limit as an upright stroke with a line up to it."""
    is_over = limit is not None and amount > limit
    if limit is not None:
        axes.plot([amount, limit], [place, place], color=FAINT, lw=0.8, zorder=1)
        axes.plot([limit, limit], [place - 0.32, place + 0.32], color=SOFT, lw=1.4, zorder=2)
    axes.plot(amount, place, "o", color=ACCENT if is_over else INK, ms=4.5, zorder=3)


def _finish(axes: Any, labels: Sequence[str], ticks: Ticks, what: str) -> None:
    axes.set_xscale("log")
    axes.set_ylim(len(labels) - 0.5, -0.5)
    low, high = axes.get_xlim()
    low = max((at for at, _ in ticks if at <= low), default=low)
    high = min((at for at, _ in ticks if at >= high), default=high)
    shown = [(at, text) for at, text in ticks if low <= at <= high]
    axes.xaxis.set_major_locator(LogLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks([at for at, _ in shown], [text for _, text in shown])
    axes.minorticks_off()
    axes.set_xlim(low, high)
    axes.grid(axis="x", color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel(what)
    axes.set_yticks(range(len(labels)), labels, fontsize=SMALL, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
