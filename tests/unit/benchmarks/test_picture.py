"""The picture of benchmarks tells who went beyond what was declared, and names every rule."""

from dataclasses import replace

import pytest
from matplotlib.colors import to_hex

from atlas.benchmarks.picture import claim, draw
from atlas.benchmarks.summary import Row
from atlas.plots.style import ACCENT

ROW = Row("plot_group", 3, 90.0, 30.0, 20.0, 60.0, "plot_group/all", 10, 0.1, 1, 250.0,
          "plot_group/all", 1000, 0.25)  # fmt: skip
UNSEEN = replace(
    *(ROW,), rule="match_names", jobs=1, seconds_longest=0.4, declared_minutes=None,
    time_share=None, sampled=0, mem_mb_largest=None, largest="", declared_mem_mb=None,
    mem_share=None,
)  # fmt: skip
OVER = replace(ROW, rule="compare_group", mem_mb_largest=1500.0, mem_share=1.5)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [ROW, UNSEEN],
            "Closest to what was declared: plot_group took 25 % of its memory, "
            "plot_group took 10 % of its time",
        ),
        ([ROW, OVER], "More than declared was taken by compare_group"),
        ([UNSEEN], "What jobs took"),
    ],
)
def test_the_title_is_what_was_found(rows: list[Row], told: str) -> None:
    assert claim(rows) == told


def test_each_rule_has_its_line_and_one_beyond_its_limit_another_colour() -> None:
    times, sizes = draw([OVER, ROW, UNSEEN]).axes[1:]
    labels = [label.get_text() for label in times.get_yticklabels()]
    assert labels == ["compare_group × 3", "plot_group × 3", "match_names"]

    def red(axes) -> list[tuple[float, float]]:
        found = [line for line in axes.get_lines() if line.get_marker() == "o"]
        return [
            (line.get_xdata()[0], line.get_ydata()[0])
            for line in found
            if to_hex(line.get_color()) == ACCENT
        ]

    assert red(sizes) == [(1500.0, 0)]
    assert red(times) == []


def test_where_no_memory_was_seen_the_panel_says_so() -> None:
    _, sizes = draw([UNSEEN]).axes[1:]
    assert [text.get_text() for text in sizes.texts] == ["no job ran for 2 s"]
