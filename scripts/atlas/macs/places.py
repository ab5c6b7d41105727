"""The picture of where in each denoiser the MACs of a forward are."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from atlas.macs import summary
from atlas.macs.bars import Row, between, common_size, counted, finish, label_width, left_out
from atlas.macs.request import Size
from atlas.macs.words import Words, pixels
from atlas.plots.layout import Mark, open_page
from atlas.plots.style import ACCENT, FAINT, INK, PLAIN, SMALL

OPERATIONS = (
    ("convolution_macs", "convolution", "#44aa99"),
    ("linear_macs", "linear", PLAIN),
    ("attention_macs", "attention products", ACCENT),
    ("other_matmul_macs", "other matrix products", "#999933"),
)


def places(
    rows: Sequence[Row], profiles: Mapping[str, Sequence[Row]], words: Words
) -> Figure | None:
    """Draw where in each denoiser the MACs are: a strip of its units in order, by kind below."""
    size = common_size(rows, words.request.shown)
    if size is None:
        return None
    found = summary.at(rows, size, words.request.shown)
    forwards = {name: _forward(profiles[name], size, row) for name, row in found.items()}
    names = sorted(found, key=lambda name: (found[name]["kind"] != "UNet", found[name]["label"]))
    labels = [found[name]["label"] for name in names]
    left, row_height = label_width(labels), 0.36
    height = row_height * len(names)
    page = open_page(
        title=_claim(found),
        subtitle=f"{counted(len(names))} · one denoiser forward of {words.images} of "
        f"{pixels(size)}, {words.text} · "
        "share of its MACs: upper strip by MBW unit in order of execution (edges are units), "
        "lower strip by kind of product",
        width=left + 5.4,
        height=height + 0.45,
        legend=[
            Mark("units", FAINT, "bar"),
            Mark("heaviest unit", INK, "bar"),
            Mark("outside units", "#ddcc99", "bar"),
            *(
                Mark(meaning, colour, "bar")
                for _, meaning, colour in _kinds([_total(forwards[name]) for name in names])
            ),
        ],
        notes=left_out(rows),
    )
    axes = page.axes(left, 0, page.width - left - 0.1, height)
    for place, name in enumerate(reversed(names)):
        _strip(axes, place, forwards[name], found[name])
        start = 0.0
        total = _total(forwards[name])
        for key, _, colour in OPERATIONS:
            share = 100 * total[key] / total["macs"]
            axes.barh(place - 0.2, share, left=start, color=colour, height=0.26)
            start += share
    finish(axes, list(reversed(labels)), "% of the forward's MACs (linear)")
    axes.set_xlim(0, 100)
    return page.figure


def _kinds(whole: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Return the kinds of products that can be seen: over 0.1 % somewhere."""
    return [kind for kind in OPERATIONS if any(row[kind[0]] > 1e-3 * row["macs"] for row in whole)]


def _strip(axes: Any, place: int, forward: Sequence[Row], row: Row) -> None:
    start = 0.0
    units = [part for part in forward if part["part"] == "unit"]
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


def _total(forward: Sequence[Row]) -> Row:
    return next(row for row in forward if row["part"] == "total")


def _forward(profile: Sequence[Row], size: Size, row: Row) -> list[Row]:
    """Return the rows of the forward that a row of the summary is of."""
    own = profile[0]["component"], *size, row["prompts"]
    columns = ("component", "width_pixels", "height_pixels", "prompts")
    return [part for part in profile if tuple(part[name] for name in columns) == own]


def _claim(found: Mapping[str, Row]) -> str:
    """Say between which shares attention lies."""
    ordered = sorted(found.values(), key=lambda row: float(row["attention_share"]))
    ends = [
        (f"{100 * row['attention_share']:.0f} %", row["label"]) for row in (ordered[0], ordered[-1])
    ]
    return f"Attention's products are {between(*ends)} of a forward"
