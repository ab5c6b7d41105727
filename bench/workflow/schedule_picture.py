"""Draw simulated schedules: time and speed-up against the number of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from atlas.plots import style
from bench.workflow.simulation import Ended

HOURS = (
    (1 / 60, "1 min"),
    (1 / 6, "10 min"),
    (1, "1 h"),
    (10, "10 h"),
    (100, "100 h"),
    (1000, "1,000 h"),
)
Found = Mapping[str, Mapping[int, tuple[Ended, str]]]
"""Title to number of nodes to a schedule and what bounds it, in words."""


def draw(found: Found, stem: Path) -> None:
    """Write the picture as stem.svg and stem.png."""
    with style.applied():
        figure = Figure(figsize=(10.5, 5.4))
        figure.text(
            *(0.03, 0.955),
            "From some four nodes on, reading bounds a run: all nodes share one disk",
            size=style.TITLE,
            weight="bold",
        )
        figure.text(
            *(0.03, 0.915),
            "simulated from rates measured on one core; models of 6.9 GB that share nothing; "
            "nodes of 32 cores, a disk of 5 GB/s for all",
            color=style.SOFT,
        )
        times = figure.add_axes((0.075, 0.11, 0.40, 0.71))
        speeds = figure.add_axes((0.565, 0.11, 0.40, 0.71))
        colours = dict(zip(found, style.QUALITATIVE, strict=False))
        _times(times, found, colours)
        _speeds(speeds, found, colours)
    style.save(figure, stem)


def _times(axes: Axes, found: Found, colours: Mapping[str, str]) -> None:
    """Draw makespans, each named at its line and, in small letters, with what bounds it."""
    _nodes(axes, found)
    axes.set_yscale("log")
    axes.set_title("from nothing to the plots", loc="left", size=style.TEXT)
    for title, by_nodes in found.items():
        nodes = list(by_nodes)
        hours = [ended.makespan / 3600 for ended, _ in by_nodes.values()]
        axes.plot(nodes, hours, "o-", color=colours[title], markersize=4, linewidth=1.6)
        axes.annotate(
            *(title, (nodes[-1], _above(nodes, hours))),
            xytext=(4, 5),
            textcoords="offset points",
            ha="right",
            color=colours[title],
            size=style.SMALL,
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.5, high * 2.5)
    ticks = [(hour, words) for hour, words in HOURS if low / 1.5 <= hour <= high * 2.5]
    axes.set_yticks([hour for hour, _ in ticks], [words for _, words in ticks])
    axes.minorticks_off()


def _above(nodes: list[int], hours: list[float]) -> float:
    """Return the height of a line where its title begins, an eighth of the last number of nodes."""
    begins = np.interp(np.log(nodes[-1] / 8), np.log(nodes), np.log(hours))
    return float(np.exp(begins))


def _speeds(axes: Axes, found: Found, colours: Mapping[str, str]) -> None:
    """Draw how many times quicker than on one node, beside what the nodes would give."""
    _nodes(axes, found)
    axes.set_yscale("log", base=2)
    axes.set_title("times as quick as one node, and what bounds it", loc="left", size=style.TEXT)
    nodes = list(next(iter(found.values())))
    axes.plot(nodes, nodes, ":", color=style.SOFT, linewidth=1)
    axes.annotate(
        *("as many as nodes", (nodes[-2], nodes[-2])),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        color=style.SOFT,
        size=style.SMALL,
    )
    ends = []
    for title, by_nodes in found.items():
        first = next(iter(by_nodes.values()))[0].makespan
        speeds = [first / ended.makespan for ended, _ in by_nodes.values()]
        axes.plot(nodes, speeds, "o-", color=colours[title], markersize=4, linewidth=1.6)
        ends.append((speeds[-1], by_nodes[nodes[-1]][1], colours[title]))
    last = 0.0
    for speed, why, colour in sorted(ends):
        place = max(speed, last * 1.22)
        axes.text(nodes[-1] * 1.12, place, why, color=colour, size=style.SMALL, va="center")
        last = place
    axes.set_xlim(nodes[0] * 0.85, nodes[-1] * 7)
    axes.set_yticks(nodes, [f"{node}×" for node in nodes])
    axes.minorticks_off()


def _nodes(axes: Axes, found: Found) -> None:
    nodes = list(next(iter(found.values())))
    axes.set_xscale("log", base=4)
    axes.set_xticks(nodes, [str(node) for node in nodes])
    axes.set_xlabel("nodes")
    axes.grid(axis="y", color=style.PALE, linewidth=0.7)
    axes.set_axisbelow(True)
