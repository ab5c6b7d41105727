"""The picture of what an image costs with each architecture."""

from collections.abc import Sequence
from math import log10

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from atlas.macs import summary
from atlas.macs.bars import Row, common_size, counted, finish, label_width, left_out, short
from atlas.macs.words import Words, pixels
from atlas.plots.layout import Mark, open_page
from atlas.plots.style import FAINT, INK, PLAIN, SMALL

PARTS = (
    ("text_macs", "text encoders", "#ddaa33"),
    ("steps_macs", "steps", PLAIN),
    ("vae_decode_macs", "VAE decode", "#44aa99"),
)
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""Behind a number, so that no line of the grid crosses it."""
STATED = "*: steps or guidance are not known, and stated as those of another model."
MANY = 2.5
"""Decades of a scale from which on they alone are numbered."""
TALL = 35
"""Bars from which on the scale is written above them, too."""
LINE = 0.21
"""Inches per horizontal bar."""


def image_cost(rows: Sequence[Row], words: Words) -> Figure | None:
    """Draw the cost of one image of each architecture as bars of text, steps and VAE."""
    size = common_size(rows, words.request.shown)
    if size is None:
        return None
    found = [_with_steps(row) for row in summary.at(rows, size, words.request.shown).values()]
    found.sort(key=lambda row: int(row["usual_image_macs"]))
    labels = [_label(row) for row in found]
    left, height, share = label_width(labels), len(found) * LINE, 2.2
    page = open_page(
        title=_cost_claim(found),
        subtitle=f"{counted(len(found))} · {words.each_image} of {pixels(size)} with each one's "
        f"usual steps, {words.guidance}, {words.text} · TMAC = 10¹² multiply-accumulates",
        width=left + 3.2 + share,
        height=height + 0.45,
        legend=[Mark(meaning, colour, "bar") for _, meaning, colour in PARTS],
        notes=[
            "The text encoders run once for the prompt, and once more for the negative prompt "
            "where there is guidance by two forwards per step.",
            *([STATED] if any(row["sampling"] for row in found) else []),
            *left_out(rows),
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
            short(whole), (whole, place), (6, 0), textcoords="offset points",
            va="center", fontsize=SMALL, bbox=GROUND,
        )  # fmt: skip
        start = 0.0
        for key, _, colour in PARTS:
            width = 100 * row[key] / row["usual_image_macs"]
            parts.barh(place, width, left=start, color=colour, height=0.72)
            start += width
    axes.set_xscale("log")
    axes.set_xlim(least)
    # Between decades there is no room for numbers where there are many.
    decades = log10(found[-1]["usual_image_macs"] / found[0]["usual_image_macs"])
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if decades < MANY else (1,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x", color=FAINT, lw=0.5)
    axes.set_axisbelow(True)
    if len(found) > TALL:
        for each in (axes, parts):
            each.tick_params(top=True, labeltop=True)
    finish(axes, labels, "TMAC per image (logarithmic)")
    finish(parts, [""] * len(found), "% of the image's MACs (linear)")
    parts.set_xlim(0, 100)
    return page.figure


def _label(row: Row) -> str:
    steps = row["usual_steps"]
    told = f"{steps} step{'s' if steps != 1 else ''}"
    return f"{row['label']}, {told}{'*' if row['sampling'] else ''}"


def _cost_claim(ordered: Sequence[Row]) -> str:
    """Say what the dearest image costs in images of the cheapest, or what the only one does."""
    least, most = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"An image of {most['label']} costs {short(most['usual_image_macs'] / 1e12)} TMAC"
    ratio = most["usual_image_macs"] / least["usual_image_macs"]
    told = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
    return f"An image of {most['label']} costs {told} times one of {least['label']}"


def _with_steps(row: Row) -> Row:
    """Add what the steps alone cost per image; text and VAE are told per image, too."""
    batch = row["batch"]
    shared = {key: row[key] / batch for key in ("text_macs", "vae_decode_macs")}
    return {
        **row,
        **shared,
        "steps_macs": row["usual_steps"] * row["step_macs"] / batch,
    }
