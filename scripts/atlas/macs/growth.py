"""The picture of how the cost of a forward grows with the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from atlas.architectures.naming import brief
from atlas.macs.bars import Row, between, counted, label_width, left_out
from atlas.macs.request import GROWTH
from atlas.macs.summary import forwards, is_of, points
from atlas.macs.words import Words
from atlas.plots.layout import Mark, open_page, wrapped
from atlas.plots.style import FAINT, INK, QUALITATIVE, SMALL, SOFT

KINDS = ("UNet", "DiT", "MMDiT")
MOST = len(QUALITATIVE)
"""Lines of a panel: each has a colour of its own."""
ACROSS = 3
"""Panels beside one another."""
WIDTH, GAP, EDGE = 1.75, 0.85, 0.75
"""Inches of a panel, from a panel's names to the next one, and left of the first."""
NAMES = 2.6
"""Inches in which the names of a line are broken."""
ROW = SMALL * 1.3 / 72
"""Inches of a line of text."""
LEADER = {"arrowstyle": "-", "lw": 0.5, "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)}
"""From a line's end to its name."""


@dataclass(frozen=True)
class Point:
    """A square image and what a forward of it costs."""

    side: int
    """In pixels."""
    macs: int
    is_asked: bool
    """False where it was counted for the growth alone."""


@dataclass(frozen=True)
class Line:
    """What several architectures cost that cost the same at every size."""

    kind: str
    exponent: float
    labels: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """Return the exponent and all names."""
        return f"{self.exponent:.2f} {', '.join(self.labels)}"


def lines_of(rows: Sequence[Row], profiles: Mapping[str, Sequence[Row]], prompt: str) -> list[Line]:
    """Return a line for each course of cost, in the order of the names."""
    first = {
        row["architecture"]: row
        for row in rows
        if row.get("growth_exponent") is not None
        and not row["problem"]
        and not row["frames"]
        and is_of(row, prompt)
    }
    found: dict[tuple[str, float, tuple[Point, ...]], list[str]] = {}
    for name, row in first.items():
        course = _course(profiles[name], row)
        key = (row["kind"], row["growth_exponent"], course)
        found.setdefault(key, []).append(brief(row["label"]))
    lines = [Line(kind, power, tuple(names), own) for (kind, power, own), names in found.items()]
    return sorted(lines, key=lambda line: (KINDS.index(line.kind), line.labels[0].casefold()))


def _course(profile: Sequence[Row], row: Row) -> tuple[Point, ...]:
    """Return the points of an architecture's line."""
    asked = {
        each["width_pixels"]: each["is_asked"]
        for each in forwards(profile, row["prompts"])
        if each["width_pixels"] == each["height_pixels"]
    }
    counted = points(profile, row["native_pixels"], row["prompts"])
    return tuple(Point(side, macs, asked[side]) for side, macs in counted)


def panels_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Deal lines to panels: of one kind each, and no more than there are colours."""
    found = []
    for kind in KINDS:
        own = [line for line in lines if line.kind == kind]
        number = ceil(len(own) / MOST)
        size = ceil(len(own) / number) if number else 1
        found += [own[start : start + size] for start in range(0, len(own), size)]
    return found


def growth(
    rows: Sequence[Row], profiles: Mapping[str, Sequence[Row]], words: Words
) -> Figure | None:
    """Draw the cost of a forward against the side of a square image, panels by kind."""
    lines = lines_of(rows, profiles, words.request.shown)
    if not lines:
        return None
    panels = panels_of(lines)
    across, down = min(ACROSS, len(panels)), ceil(len(panels) / ACROSS)
    tall = max(sum(len(_wrapped(line)) for line in panel) + 1 for panel in panels) * ROW
    height = max(4.2 if down == 1 else 3.0, tall)
    widths = [
        max(label_width(_wrapped(line)) for panel in panels[place::across] for line in panel)
        for place in range(across)
    ]
    small, large = GROWTH
    page = open_page(
        title=_claim(lines),
        subtitle=f"{counted(sum(len(line.labels) for line in lines))} · MACs of one denoiser "
        f"forward of {words.images}, square, {words.text} · both scales logarithmic · numbers: "
        f"the power of the number of pixels, for all between {small} × {small} and "
        f"{large} × {large} pixels",
        width=EDGE + across * (WIDTH + GAP) + sum(widths) - 0.6,
        height=down * (height + 0.75) - 0.2,
        legend=_legend(lines),
        notes=[
            "Architectures of which every forward costs the same are one line.",
            *_without(rows, words),
            *left_out(rows),
        ],
    )
    x = EDGE
    for place, width in enumerate(widths):
        for row, panel in enumerate(panels[place::across]):
            top = 0.2 + row * (height + 0.75)
            _draw(page.axes(x, top, WIDTH, height), panel, lines, height, words)
        x += WIDTH + width + GAP
    return page.figure


def _claim(lines: Sequence[Line]) -> str:
    ordered = sorted(lines, key=lambda line: line.exponent)
    ends = [(f"{line.exponent:.2f}", line.labels[0]) for line in (ordered[0], ordered[-1])]
    return f"A forward's cost grows as pixels to the power {between(*ends)}"


def _legend(lines: Sequence[Line]) -> list[Mark]:
    marks = [Mark("a size that was asked for", SOFT, "dot")]
    if any(not point.is_asked for line in lines for point in line.points):
        marks.append(Mark("counted for the growth alone, not asked for", SOFT, "ring"))
    return marks


def _without(rows: Sequence[Row], words: Words) -> list[str]:
    """Name those that are not made for both squares, whose growth is not told."""
    names = dict.fromkeys(
        row["label"]
        for row in rows
        if row.get("growth_exponent") is None
        and not row["problem"]
        and not row["frames"]
        and is_of(row, words.request.shown)
    )
    small, large = GROWTH
    told = f"Without a line, as they make no squares of {small} and of {large} pixels"
    return [f"{told}: {', '.join(names)}."] if names else []


def _draw(
    axes: Any, panel: Sequence[Line], every: Sequence[Line], height: float, words: Words
) -> None:
    """Draw a panel; all have the same scales."""
    costs = [point.macs / 1e9 for line in every for point in line.points]
    sides = [point.side for line in every for point in line.points]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(min(costs) / 1.4, max(costs) * 1.4)
    axes.set_xlim(min(sides) / 1.15, max(sides) * 1.15)
    axes.set_title(_title(panel, every), fontsize=SMALL, loc="left", color=SOFT)
    for line, colour in zip(panel, QUALITATIVE, strict=False):
        xs, ys = [p.side for p in line.points], [p.macs / 1e9 for p in line.points]
        axes.plot(xs, ys, "-", color=colour, lw=1.2)
        for point in line.points:
            ground = colour if point.is_asked else "white"
            axes.plot(point.side, point.macs / 1e9, "o", color=colour, ms=3.6, mfc=ground, mew=0.9)
    _name_lines(axes, panel, height)
    shown = sorted(set(sides) & {512, 1024, 2048} or set(sides))
    axes.set_xticks(shown, [str(side) for side in shown], minor=False)
    axes.tick_params(which="minor", length=0, labelbottom=False)
    axes.set_xlabel("side in pixels")
    axes.set_ylabel(f"GMAC per forward{words.per_forward}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color=FAINT, lw=0.5)


def _title(panel: Sequence[Line], every: Sequence[Line]) -> str:
    """Name the kind, and where it has several panels, from which name to which."""
    kind = panel[0].kind
    alike = sum(line.kind == kind for line in every)
    number = sum(len(line.labels) for line in panel)
    if alike == len(panel):
        return f"{kind} ({number})"
    return f"{kind} ({number}), {panel[0].labels[0]} to {panel[-1].labels[0]}"


def _wrapped(line: Line) -> list[str]:
    return wrapped(line.name, SMALL, NAMES)


def _name_lines(axes: Any, panel: Sequence[Line], height: float) -> None:
    """Write each line's exponent and names to the right of it, apart from the others."""
    low, high = (log10(limit) for limit in axes.get_ylim())
    ends = sorted(
        ((log10(line.points[-1].macs / 1e9) - low) / (high - low), place)
        for place, line in enumerate(panel)
    )
    sizes = [len(_wrapped(panel[place])) * ROW / height for _, place in ends]
    placed = spread([end for end, _ in ends], sizes)
    for spot, (end, place) in zip(placed, ends, strict=True):
        line = panel[place]
        axes.annotate(
            "\n".join(_wrapped(line)),
            xy=(line.points[-1].side, 10 ** (low + end * (high - low))),
            xytext=(1.06, spot),
            textcoords="axes fraction",
            fontsize=SMALL,
            color=INK,
            va="center",
            linespacing=1.15,
            annotation_clip=False,
            arrowprops=LEADER | {"color": QUALITATIVE[place]},
        )


def spread(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """
    Return the middles of texts from 0 to 1 in the order wanted, apart, near where wanted.

    >>> [round(place, 2) for place in spread([0.5, 0.5], [0.1, 0.1])]
    [0.45, 0.55]
    """
    groups: list[list[tuple[float, float]]] = []
    for member in zip(wanted, sizes, strict=True):
        groups.append([member])
        while len(groups) > 1 and _start(groups[-1]) < _start(groups[-2]) + _size(groups[-2]):
            groups[-2:] = [groups[-2] + groups[-1]]
    placed = []
    for group in groups:
        edge = _start(group)
        for _, size in group:
            placed.append(edge + size / 2)
            edge += size
    return placed


def _start(group: Sequence[tuple[float, float]]) -> float:
    """Return the lower edge at which a group lies nearest to where its members want to be."""
    offset, wishes = 0.0, []
    for wish, size in group:
        wishes.append(wish - offset - size / 2)
        offset += size
    return min(max(sum(wishes) / len(wishes), 0.0), max(1.0 - offset, 0.0))


def _size(group: Sequence[tuple[float, float]]) -> float:
    return sum(size for _, size in group)
