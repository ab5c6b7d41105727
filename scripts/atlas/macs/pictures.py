"""Pictures of what images cost: per image, against the resolution, within, and as published."""

from collections.abc import Callable, Mapping, Sequence
from math import log10
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from atlas.macs import summary
from atlas.macs.summary import COMPARED, Size, points
from atlas.plots.layout import Mark, open_page
from atlas.plots.style import (
    ACCENT,
    FAINT,
    INK,
    PLAIN,
    QUALITATIVE,
    SMALL,
    SOFT,
    applied,
    save,
    text_width,
)

Row = Mapping[str, Any]
PARTS = (
    ("text_macs", "text encoders", "#ddaa33"),
    ("steps_macs", "steps", PLAIN),
    ("vae_decode_macs", "VAE decode", "#44aa99"),
)
OPERATIONS = (
    ("convolution_macs", "convolution", "#44aa99"),
    ("linear_macs", "linear", PLAIN),
    ("attention_macs", "attention products", ACCENT),
    ("other_matmul_macs", "other matrix products", "#999933"),
)
LEADER = {"arrowstyle": "-", "lw": 0.5, "shrinkA": 1, "shrinkB": 2, "relpos": (0, 0.5)}
"""From a line's end to its name."""
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""Behind a number, so that no line of the grid crosses it."""
LINE = 0.21
"""Inches per horizontal bar."""


def draw_all(
    summary_rows: Sequence[Row],
    profiles: Mapping[str, Sequence[Row]],
    published: Sequence[Row],
    folder: Path,
) -> None:
    """Draw all pictures as SVG and PNG; one for which nothing was counted is left out."""
    drawings: dict[str, Callable[[], Figure | None]] = {
        "image_cost": lambda: image_cost(summary_rows),
        "growth": lambda: growth(summary_rows, profiles),
        "places": lambda: places(summary_rows, profiles),
        "ranking": lambda: ranking(published),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in drawings.items():
        with applied():
            figure = draw()
        if figure is not None:
            save(figure, folder / name)


def image_cost(rows: Sequence[Row]) -> Figure | None:
    """Draw the cost of one image of each architecture as bars of text, steps and VAE."""
    size = _common_size(rows)
    if size is None:
        return None
    found = [_with_steps(row) for row in summary.at(rows, size).values()]
    found.sort(key=lambda row: int(row["usual_image_macs"]))
    labels = [f"{row['label']}, {row['usual_steps']} steps" for row in found]
    left, height, share = _label_width(labels), len(found) * LINE, 2.2
    page = open_page(
        title=_cost_claim(found),
        subtitle=f"{counted(len(found))} · one image of {size[0]} × {size[1]} pixels with each "
        "one's usual steps and guidance · TMAC = 10¹² multiply-accumulates",
        width=left + 3.2 + share,
        height=height + 0.45,
        legend=[Mark(meaning, colour, "bar") for _, meaning, colour in PARTS],
        notes=[
            "The text encoders run once for the prompt, and once more for the negative prompt "
            "where there is guidance by two forwards per step."
        ],
    )
    axes = page.axes(left, 0, page.width - left - share - 0.75, height)
    parts = page.axes(page.width - share, 0, share, height)
    least = 0.7 * found[0]["usual_image_macs"] / 1e12
    for place, row in enumerate(found):
        whole = row["usual_image_macs"] / 1e12
        axes.plot([least, whole], [place, place], color=FAINT, lw=0.7)
        axes.plot(whole, place, "o", color=INK, ms=4.5)
        axes.annotate(
            _short(whole), (whole, place), (6, 0), textcoords="offset points",
            va="center", fontsize=SMALL, bbox=GROUND,
        )  # fmt: skip
        start = 0.0
        for key, _, colour in PARTS:
            width = 100 * row[key] / row["usual_image_macs"]
            parts.barh(place, width, left=start, color=colour, height=0.72)
            start += width
    axes.set_xscale("log")
    axes.set_xlim(least)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    _finish(axes, labels, "TMAC per image (logarithmic)")
    _finish(parts, [""] * len(found), "% of the image's MACs (linear)")
    parts.set_xlim(0, 100)
    return page.figure


def _cost_claim(ordered: Sequence[Row]) -> str:
    """Say what the dearest image costs in images of the cheapest, or what the only one does."""
    least, most = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"An image of {most['label']} costs {_short(most['usual_image_macs'] / 1e12)} TMAC"
    ratio = most["usual_image_macs"] / least["usual_image_macs"]
    return f"An image of {most['label']} costs {ratio:,.3g} times one of {least['label']}"


def counted(number: int) -> str:
    """
    Write a number of architectures.

    >>> counted(1), counted(28)
    ('1 architecture', '28 architectures')
    """
    return f"{number} architecture{'s' if number != 1 else ''}"


def _between(low: tuple[str, str], high: tuple[str, str]) -> str:
    """
    Write two values with what has them, equal names once.

    >>> _between(("2 %", "SANA"), ("42 %", "SD 1.5")), _between(("2 %", "SANA"), ("2 %", "SANA"))
    ('2 % (SANA) to 42 % (SD 1.5)', '2 % (SANA)')
    """
    return " to ".join(dict.fromkeys(f"{value} ({name})" for value, name in (low, high)))


def _with_steps(row: Row) -> Row:
    """Add what the steps alone cost per image; text and VAE are told per image, too."""
    batch = row["batch"]
    shared = {key: row[key] / batch for key in ("text_macs", "vae_decode_macs")}
    return {
        **row,
        **shared,
        "steps_macs": row["usual_steps"] * row["step_macs"] / batch,
    }


def growth(rows: Sequence[Row], profiles: Mapping[str, Sequence[Row]]) -> Figure | None:
    """Draw the cost of a forward against the side of a square image, a panel per kind."""
    first = {row["architecture"]: row for row in rows if row.get("growth_exponent") is not None}
    if not first:
        return None
    kinds = [kind for kind in ("UNet", "DiT", "MMDiT") if _of_kind(first, kind)]
    panel, height = 1.75, 4.4
    names = [max(_label_width([_named(r)]) for r in _of_kind(first, kind)) for kind in kinds]
    ordered = sorted(first.values(), key=lambda row: row["growth_exponent"])
    ends = [(f"{row['growth_exponent']:.2f}", row["label"]) for row in (ordered[0], ordered[-1])]
    page = open_page(
        title=f"A forward's cost grows as pixels to the power {_between(*ends)}",
        subtitle=f"{counted(len(first))} · MACs of one denoiser forward of one square image "
        "· both scales logarithmic · numbers: slope between the first and last point, as the "
        "power of the number of pixels",
        width=0.75 + len(kinds) * (panel + 0.85) + sum(names) - 0.6,
        height=height + 0.5,
    )
    lines = {name: points(profiles[name], row["native_pixels"]) for name, row in first.items()}
    x = 0.75
    for kind, width in zip(kinds, names, strict=True):
        axes = page.axes(x, 0.2, panel, height - 0.2)
        _growth_panel(axes, kind, _of_kind(first, kind), lines, height - 0.2)
        axes.set_ylabel("GMAC per forward" if kind == kinds[0] else "")
        x += panel + width + 0.85
    return page.figure


def _growth_panel(
    axes: Any,
    kind: str,
    members: Sequence[Row],
    lines: Mapping[str, Sequence[tuple[int, int]]],
    height: float,
) -> None:
    counted = [macs / 1e9 for line in lines.values() for _, macs in line]
    sides = [side for line in lines.values() for side, _ in line]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(min(counted) / 1.4, max(counted) * 1.4)
    axes.set_xlim(min(sides) / 1.15, max(sides) * 1.15)
    axes.set_title(f"{kind} ({len(members)})", fontsize=SMALL, loc="left", color=SOFT)
    for place, row in enumerate(members):
        line = lines[row["architecture"]]
        colour = QUALITATIVE[place % len(QUALITATIVE)]
        axes.plot(
            [s for s, _ in line], [m / 1e9 for _, m in line], "o-", color=colour, lw=1.2, ms=3
        )
    _name_lines(axes, members, lines, height)
    shown = sorted(set(sides) & {512, 1024, 2048} or set(sides))
    axes.set_xticks(shown, [str(side) for side in shown], minor=False)
    axes.tick_params(which="minor", length=0, labelbottom=False)
    axes.set_xlabel("side in pixels")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", color=FAINT, lw=0.5)


def _named(row: Row) -> str:
    return f"{row['growth_exponent']:.2f} {_brief(row['label'])}"


def _of_kind(rows: Mapping[str, Row], kind: str) -> list[Row]:
    return [row for row in rows.values() if row["kind"] == kind]


def _name_lines(
    axes: Any,
    members: Sequence[Row],
    lines: Mapping[str, Sequence[tuple[int, int]]],
    height: float,
) -> None:
    """Write each line's name and exponent to the right of it, apart from the others."""
    low, high = (log10(limit) for limit in axes.get_ylim())
    step = SMALL * 1.3 / 72 / height
    ends = sorted(
        ((log10(lines[row["architecture"]][-1][1] / 1e9) - low) / (high - low), place, row)
        for place, row in enumerate(members)
    )
    placed = spread([end for end, _, _ in ends], step)
    for spot, (end, place, row) in zip(placed, ends, strict=True):
        colour = QUALITATIVE[place % len(QUALITATIVE)]
        last = lines[row["architecture"]][-1][0]
        axes.annotate(
            _named(row),
            xy=(last, 10 ** (low + end * (high - low))),
            xytext=(1.06, spot),
            textcoords="axes fraction",
            fontsize=SMALL,
            color=INK,
            va="center",
            annotation_clip=False,
            arrowprops=LEADER | {"color": colour},
        )


def spread(wanted: Sequence[float], step: float) -> list[float]:
    """
    Return places from 0 to 1 in the order wanted, at least a step apart, near where wanted.

    >>> [round(place, 2) for place in spread([0.5, 0.5], 0.1)]
    [0.45, 0.55]
    """
    groups: list[list[float]] = [[place] for place in wanted]
    merged: list[list[float]] = []
    for group in groups:
        merged.append(group)
        while len(merged) > 1 and _first(merged[-1], step) < _last(merged[-2], step) + step:
            merged[-2:] = [merged[-2] + merged[-1]]
    return [_first(group, step) + number * step for group in merged for number in range(len(group))]


def _first(group: Sequence[float], step: float) -> float:
    span = (len(group) - 1) * step
    return min(max(sum(group) / len(group) - span / 2, 0.0), max(1.0 - span, 0.0))


def _last(group: Sequence[float], step: float) -> float:
    return _first(group, step) + (len(group) - 1) * step


def places(rows: Sequence[Row], profiles: Mapping[str, Sequence[Row]]) -> Figure | None:
    """Draw where in each denoiser the MACs are: a strip of its units in order, by kind below."""
    size = _common_size(rows)
    if size is None:
        return None
    found = summary.at(rows, size)
    strips = {name: _units(profiles[name], size) for name in found}
    names = sorted(strips, key=lambda name: (found[name]["kind"] != "UNet", found[name]["label"]))
    labels = [found[name]["label"] for name in names]
    left, row_height = _label_width(labels), 0.36
    height = row_height * len(names)
    page = open_page(
        title=_claim(found),
        subtitle=f"{counted(len(names))} · one denoiser forward of {size[0]} × {size[1]} pixels · "
        "share of its MACs: upper strip by MBW unit in order of execution (edges are units), "
        "lower strip by kind of product",
        width=left + 5.4,
        height=height + 0.45,
        legend=[
            Mark("units", FAINT, "bar"),
            Mark("heaviest unit", INK, "bar"),
            Mark("outside units", "#ddcc99", "bar"),
            *(Mark(meaning, colour, "bar") for _, meaning, colour in _kinds(profiles, names, size)),
        ],
    )
    axes = page.axes(left, 0, page.width - left - 0.1, height)
    for place, name in enumerate(reversed(names)):
        _strip(axes, place, strips[name], found[name])
        start = 0.0
        total = _total(profiles[name], size)
        for key, _, colour in OPERATIONS:
            share = 100 * total[key] / total["macs"]
            axes.barh(place - 0.2, share, left=start, color=colour, height=0.26)
            start += share
    _finish(axes, list(reversed(labels)), "% of the forward's MACs (linear)")
    axes.set_xlim(0, 100)
    return page.figure


def _kinds(
    profiles: Mapping[str, Sequence[Row]], names: Sequence[str], size: Size
) -> list[tuple[str, str, str]]:
    """Return the kinds of products that can be seen: over 0.1 % somewhere."""
    whole = [_total(profiles[name], size) for name in names]
    return [kind for kind in OPERATIONS if any(row[kind[0]] > 1e-3 * row["macs"] for row in whole)]


def _strip(axes: Any, place: int, units: Sequence[Row], row: Row) -> None:
    start = 0.0
    heaviest = max((unit for unit in units if unit["name"] != "outside"), key=_macs)
    for unit in units:
        share = 100 * unit["macs"] / row["forward_macs"]
        colour = "#ddcc99" if unit["name"] == "outside" else FAINT
        # The blocks of a transformer are alike: none of them is the heaviest then.
        if unit is heaviest and sum(_macs(other) == _macs(unit) for other in units) == 1:
            colour = INK
            if share > 5:
                axes.text(
                    start + share / 2, place + 0.15, unit["name"].rpartition(".")[2],
                    color="white", fontsize=SMALL, ha="center", va="center_baseline",
                )  # fmt: skip
        axes.barh(
            place + 0.15, share, left=start, color=colour, height=0.4, edgecolor="white", lw=0.4
        )
        start += share


def _macs(row: Row) -> int:
    return int(row["macs"])


def _units(profile: Sequence[Row], size: Size) -> list[Row]:
    return [row for row in profile if row["part"] == "unit" and _is_forward(profile, row, size)]


def _total(profile: Sequence[Row], size: Size) -> Row:
    return next(
        row for row in profile if row["part"] == "total" and _is_forward(profile, row, size)
    )


def _is_forward(profile: Sequence[Row], row: Row, size: Size) -> bool:
    own = profile[0]["component"], *size
    return (row["component"], row["width_pixels"], row["height_pixels"]) == own


def _claim(found: Mapping[str, Row]) -> str:
    """Say between which shares attention lies."""
    ordered = sorted(found.values(), key=lambda row: float(row["attention_share"]))
    ends = [
        (f"{100 * row['attention_share']:.0f} %", row["label"]) for row in (ordered[0], ordered[-1])
    ]
    return f"Attention's products are {_between(*ends)} of a forward"


def ranking(published: Sequence[Row]) -> Figure | None:
    """Draw the ranking of the published table against the right one as two joined columns."""
    if not published:
        return None
    height, width = 0.42 * len(published) + 0.3, 6.6
    turned = sum(row["published_rank"] != row["right_rank"] for row in published)
    page = open_page(
        title=f"{turned} of {len(published)} published ranks are wrong",
        subtitle=f"{len(published)} models · MACs of one image of 512 × 512 pixels, 30 steps with "
        "guidance · TMAC = 10¹² multiply-accumulates · ×: published over right",
        width=width,
        height=height,
        legend=[
            Mark("more than 20 % off", ACCENT, "line"),
            Mark("within 20 %", PLAIN, "line"),
        ],
    )
    page.write(2.55, 0.1, "published", ha="right", color=SOFT)
    page.write(4.05, 0.1, "right", color=SOFT)
    for row in published:
        ends = [0.42 * row[f"{kind}_rank"] for kind in ("published", "right")]
        ratio = row["published_over_right_total"]
        colour = ACCENT if abs(ratio - 1) > 0.2 else PLAIN
        page.canvas.plot(
            [page.left + 2.65, page.left + 3.95], [page.top + end for end in ends], color=colour,
            lw=1.6, marker="o", ms=4,
        )  # fmt: skip
        left, right = row["published_total_tmacs"], row["right_total_tmacs"]
        page.write(2.55, ends[0], f"{row['model']}   {left:,.1f}", ha="right")
        page.write(4.05, ends[1], f"{right:,.1f}   {row['model']} (× {ratio:.2f})")
    return page.figure


def _common_size(rows: Sequence[Row]) -> Size | None:
    """Return the size that most architectures are made for and were counted at."""
    sizes = dict.fromkeys((row["width_pixels"], row["height_pixels"]) for row in rows)
    members = {size: len(summary.at(rows, size)) for size in sizes if None not in size}
    best = max(members, key=lambda size: (members[size], size == COMPARED, size), default=None)
    return best if best and members[best] else None


def _label_width(labels: Sequence[str]) -> float:
    return max(text_width(label, SMALL) for label in labels) + 0.12


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _brief(label: str) -> str:
    return label.replace("Stable Diffusion XL", "SDXL").replace("Stable Diffusion", "SD")


def _finish(axes: Any, labels: Sequence[str], unit: str) -> None:
    """Name the bars and the scale, without more lines than needed."""
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(unit)
    axes.margins(x=0)
