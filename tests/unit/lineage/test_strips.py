"""Pictures of recipes: a column for each block, weights to scale, and one look for each verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import fitted_rows
from atlas.lineage import strip_pages, strip_picture, strips, telling
from atlas.lineage.strips import Bar, Column, Look, Strip
from atlas.plots.style import QUALITATIVE
from atlas.recipes.tables import WHOLE
from fitted_rows import by_block, row, summed, taken

HURTING = "</text><script>hurt()</script> $\\frac{a}{b}$"


def told_of(folder: Path, rows, labels=None):
    models = ["a", "b", "c", "m", "n"]
    return telling.read(
        fits=fitted_rows.write_fits(rows, folder / "fits.parquet"),
        proofs=None,
        claims=None,
        low_rank=None,
        distances=None,
        group="g",
        models=models,
        labels=labels or {model: model for model in models},
        is_published=False,
    )


def strip(folder: Path, rows) -> Strip:
    told = told_of(folder, rows)
    return strips.strip_of(told.fits["m"]["unet"], told.teller)


def drawn(picture: Strip):
    colours = strip_picture.colours_of(picture.parents)
    return strip_picture.draw(picture, title="t", subtitle="s", colours=colours, name=str), colours


def bars(figure, colour: str) -> list[Rectangle]:
    """Return the bars of a colour: those of legends are of one height, and have an edge."""
    (canvas,) = figure.axes
    return [each for each in canvas.patches
            if to_hex(each.get_facecolor()) == colour and each.get_linewidth() == 0]  # fmt: skip


def test_bars_of_a_merge_by_block_are_its_weights(tmp_path):
    ratios = {"IN00": 0, "IN01": 0.25, "MID": 0.5, "OUT00": 1}
    picture = strip(tmp_path, by_block("m", "unet", ratios, "a", "b"))
    assert [column.block for column in picture.columns] == list(ratios)
    assert picture.parents == ("a", "b")
    assert not picture.is_global
    figure, colours = drawn(picture)
    second = sorted(bars(figure, colours["b"]), key=lambda bar: bar.get_x())
    heights = [bar.get_height() / strip_picture.UNIT for bar in second]
    np.testing.assert_allclose(heights, [0.25, 0.5, 1.0], atol=1e-5)


def test_each_verdict_has_a_look_of_its_own(tmp_path):
    rows = [
        row("m", "unet", WHOLE, "approximate", parents=["a", "b"]),
        summed("m", "unet", "IN00", {"a": 0.7, "b": 0.3}),
        summed("m", "unet", "IN01", {"a": 0.7, "b": 0.3}, verdict="approximate"),
        row("m", "unet", "IN02", "equal", parents=["a", "b"]),
        row("m", "unet", "IN03", "undetermined", parents=["a", "b"]),
        row("m", "unet", "IN04", "none"),
        row("m", "unet", "IN05", "copy", parents=["b"]),
    ]
    columns = strip(tmp_path, rows).columns
    assert [column.look for column in columns] == [
        Look.SUM, Look.NEAR, Look.EQUAL, Look.HIDDEN, Look.NOTHING, Look.SUM
    ]  # fmt: skip
    assert columns[5].bars == (Bar("b", 1.0),)
    assert not any(column.bars for column in columns[2:5])


def test_one_sum_of_all_blocks_is_one_bar_with_its_weights_written(tmp_path):
    weights = {"a": 1.0, "b": 0.8, "c": -0.8}
    blocks = [summed("m", "unet", f"IN0{number}", weights) for number in range(4)]
    blocks.append(row("m", "unet", "OUT00", "equal", parents=["a", "b"]))
    picture = strip(tmp_path, [summed("m", "unet", WHOLE, weights), *blocks])
    assert picture.is_global
    assert [column.look for column in picture.columns] == [Look.SUM] * 4 + [Look.EQUAL]
    figure, _ = drawn(picture)
    (canvas,) = figure.axes
    texts = [text.get_text() for text in canvas.texts]
    assert {"1", "0.8", "−0.8"} <= set(texts)
    assert texts.count("0.8") == 1


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.floats(-1.5, 1.5), min_size=1), min_size=1,
        max_size=12,
    )
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_all_weights_lie_within_the_picture(weights):
    columns = tuple(
        Column(f"IN{place:02}", Look.SUM, tuple(Bar(*item) for item in told.items()), 1.0)
        for place, told in enumerate(weights)
    )
    figure, _ = drawn(Strip(columns, ("a", "b", "c"), is_global=False))
    (canvas,) = figure.axes
    wide, high = figure.get_size_inches()
    for bar in canvas.patches:
        assert 0 <= bar.get_x() <= bar.get_x() + bar.get_width() <= wide
        assert 0 <= bar.get_y() <= bar.get_y() + bar.get_height() <= high + 1e-9


def test_a_standard_error_is_drawn_where_it_can_be_seen(tmp_path):
    def lines(error: float) -> int:
        rows = [row("m", "unet", WHOLE, "recovered", parents=["a", "b"])]
        rows += [summed("m", "unet", "IN00", {"a": 0.7, "b": 0.3}, error=error)]
        figure, _ = drawn(strip(tmp_path, rows))
        return len(figure.axes[0].lines)

    assert lines(0.05) > lines(1e-4)


def test_parents_have_one_colour_in_all_components_of_a_model(tmp_path):
    rows = [
        summed("m", "unet", WHOLE, {"b": 0.7, "c": 0.3}),
        summed("m", "vae", WHOLE, {"a": 0.7, "c": 0.3}),
    ]
    strip_pages.draw_all(told_of(tmp_path, rows), tmp_path / "out")
    for component, held in (("unet", QUALITATIVE[1:3]), ("vae", (QUALITATIVE[0], QUALITATIVE[2]))):
        text = (tmp_path / "out" / f"m.{component}.svg").read_text()
        assert all(colour in text for colour in held), component
    assert len(set(strip_picture.colours_of([str(each) for each in range(9)]).values())) == 9


def test_models_without_a_sum_have_no_picture_and_a_group_of_them_a_notice(tmp_path):
    rows = [taken("m", "unet", ["a"]), row("n", "unet", WHOLE, "none")]
    files = strip_pages.draw_all(told_of(tmp_path, rows), tmp_path / "out")
    assert [file.name for file in files] == ["all.notice.svg", "all.notice.png"]
    assert "No recipe to draw" in files[0].read_text()


@pytest.mark.parametrize("labels", [None, {"a": HURTING, "b": "b", "c": "c", "m": HURTING}])
def test_pictures_are_equal_bytes_and_hold_labels_as_text(tmp_path, labels):
    rows = [
        *by_block("m", "unet", {f"IN{n:02}": n / 20 for n in range(12)}, "a", "b"),
        summed("m", "a/b", WHOLE, {"a": 0.5, "b": 0.5}, error=0.1),
    ]
    one, two = (
        strip_pages.draw_all(told_of(tmp_path, rows, labels), tmp_path / name)
        for name in ("one", "two")
    )
    names = ["m.unet.svg", "m.unet.png", "m.a%2Fb.svg", "m.a%2Fb.png"]
    assert [file.name for file in one] == names
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes()
        if first.suffix == ".svg":
            assert "<script" not in first.read_text()


def test_weights_of_one_sum_stand_on_its_bars_and_not_on_hatching():
    same = Column("layers.0", Look.EQUAL)
    summed_here = Column("layers.1", Look.SUM, (Bar("a", 0.6), Bar("b", 0.4)))
    columns = (*(same for _ in range(8)), summed_here, summed_here, same)
    figure, colours = drawn(Strip(columns, ("a", "b"), is_global=True))
    (canvas,) = figure.axes
    for parent, weight in (("a", "0.6"), ("b", "0.4")):
        (text,) = (each for each in canvas.texts if each.get_text() == weight)
        drawn_bars = bars(figure, colours[parent])
        left = min(bar.get_x() for bar in drawn_bars)
        right = max(bar.get_x() + bar.get_width() for bar in drawn_bars)
        assert left < text.get_position()[0] < right
