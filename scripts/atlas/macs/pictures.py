"""Pictures of what images cost: per image, against the resolution, within, and as published."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from atlas.macs.bars import Row
from atlas.macs.costs import image_cost
from atlas.macs.growth import growth
from atlas.macs.places import places
from atlas.macs.words import Words
from atlas.plots.layout import Mark, open_page
from atlas.plots.style import ACCENT, PLAIN, SOFT, applied, save


def draw_all(
    summary_rows: Sequence[Row],
    profiles: Mapping[str, Sequence[Row]],
    published: Sequence[Row],
    words: Words,
    folder: Path,
) -> None:
    """Draw all pictures as SVG and PNG; one for which nothing was counted is left out."""
    drawings: dict[str, Callable[[], Figure | None]] = {
        "image_cost": lambda: image_cost(summary_rows, words),
        "growth": lambda: growth(summary_rows, profiles, words),
        "places": lambda: places(summary_rows, profiles, words),
        "ranking": lambda: ranking(published),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in drawings.items():
        with applied():
            figure = draw()
        if figure is not None:
            save(figure, folder / name)


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
