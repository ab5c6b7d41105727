"""The picture of vocabularies: every token is counted once, and every text can be read."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle, StepPatch

from atlas.embeddings import vocabulary_picture
from atlas.embeddings.vocabulary import SCHEMA, STATUSES
from atlas.embeddings.vocabulary_picture import BAR, LONGEST, LOOKS, MOST_TOKENS, draw, shown
from atlas.plots import style
from drawn_texts import all_text, overlapping, text_boxes, texts

ODD = (
    "cat</w>",
    "\N{GRINNING FACE}</w>",
    "\u05e9\u05dc\u05d5\u05dd",
    "a\x00b\n",
    "\u202eevil",
    "supercalifragilisticexpialidocious</w>",
    "\u65e5\u672c\u8a9e</w>",
    " lead",
    "$x^2$",
    "<b>&",
    "e\u0301",
    "\ud83d",
    "",
)


def table(seed: int = 0, **counts: int) -> pa.Table:
    """Return rows with so many of each status, moved most in order of id."""
    status = [each for each in STATUSES for _ in range(counts.get(each, 0))]
    draws = np.random.default_rng(seed).lognormal(-6, 2, len(status))
    rows = []
    for token, (each, move) in enumerate(zip(status, draws.tolist(), strict=True)):
        known = each != "nonfinite"
        relative = {"identical": 0.0, "shrunk": 5e-4, "rounded": 2e-4}.get(each, move)
        row = {"token": token, "text": f"w{token}</w>", "status": each, "rank": token + 1}
        row |= {"relative": relative, "distance": relative, "own": relative, "scale": 0.9995}
        rows.append({**row, "cosine": 1.0} if known else row | dict.fromkeys(SCHEMA.names[3:]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def many(count: int) -> dict[str, pa.Table]:
    """Return models of every kind, with long labels."""
    return {
        f"model {number} with a name that goes on and on until it is too long to be written": table(
            number,
            moved=37 * number,
            shrunk=100 * (number % 3),
            rounded=50 * (number % 2),
            identical=200,
            nonfinite=number % 2,
        )
        for number in range(count)
    }


@pytest.mark.parametrize("count", [1, 2, 12, 30])
def test_no_text_overlaps(count):
    figure = draw(many(count), base="base", component="text_encoder_2")
    assert overlapping(text_boxes(figure)) == []


def test_odd_tokens_are_drawn_apart_from_one_another():
    given = table(moved=len(ODD))
    for first in range(0, len(ODD), 5):
        turned = [*ODD[first:], *ODD[:first]]
        odd = given.set_column(1, "text", pa.array([printable(each) for each in turned]))
        figure = draw({"tuned": odd}, base="base", component="text_encoder")
        assert overlapping(text_boxes(figure)) == []
        assert shown(printable(turned[0]), 0) in texts(figure)


def printable(text: str) -> str:
    """Return a text that a table can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.mark.parametrize("text", ODD)
def test_a_token_is_visible_on_one_line_and_short(text):
    told = shown(text, 3)
    assert told.isprintable()
    assert 0 < len(told) <= LONGEST
    assert not any(character.isspace() or character in "\u202e\u0301" for character in told)


def test_what_needs_no_change_is_kept():
    assert [shown(text, 1) for text in ("cat</w>", "$x^2$", "\u00e9t\u00e9")] == [
        "cat</w>",
        "$x^2$",
        "\u00e9t\u00e9",
    ]
    assert shown("x" * LONGEST, 1) == "x" * LONGEST
    assert shown("x" * (LONGEST + 1), 1) == "x" * (LONGEST - 1) + "…"
    assert shown(None, 17) == shown("", 17) == "#17"


def test_a_bar_has_the_shares():
    given = table(moved=25, shrunk=50, identical=24, nonfinite=1)
    figure = draw({"tuned": given}, base="base", component="text_encoder")
    bars = [
        patch
        for patch in figure.axes[0].findobj(Rectangle)
        if patch.get_height() == pytest.approx(0.16)
    ]
    widths = [bar.get_width() / BAR for bar in bars]
    assert widths == pytest.approx([0.25, 0.5, 0.24, 0.01])
    colours = [to_hex(bar.get_facecolor()) for bar in bars]
    assert colours == [LOOKS[each][1] for each in ("moved", "shrunk", "identical", "nonfinite")]


def test_every_move_is_in_one_bar_of_the_histogram():
    given = table(moved=300, shrunk=50, identical=20)
    figure = draw({"tuned": given, "copy": table(identical=9)}, base="base", component="all")
    stairs = [patch for axes in figure.axes for patch in axes.findobj(StepPatch)]
    values = [patch.get_data().values for patch in stairs if patch.get_fill()]
    assert sorted(each[each >= 1].sum() for each in values) == [50, 300]
    assert "no row moved" in texts(figure)


def test_the_tokens_that_moved_most_are_named_in_order():
    given = table(moved=20, identical=5)
    ranks = [*range(20, 0, -1), *range(21, 26)]
    turned = given.set_column(8, "rank", pa.array(ranks, pa.int32()))
    written = texts(draw({"tuned": turned}, base="base", component="text_encoder"))
    assert [each for each in written if each.startswith("w")] == [
        f"w{token}</w>" for token in range(19, 19 - MOST_TOKENS, -1)
    ]


@pytest.mark.parametrize(
    ("tables", "claim"),
    [
        ({"tuned": table(moved=1, identical=3)}, "tuned moved 1 of 4 tokens (25 %) of base"),
        (
            {"a": table(moved=1, identical=3), "b": table(moved=3, identical=1)},
            "Of 2 models, b moved most: 3 of 4 tokens (75 %)",
        ),
        (
            {"copy": table(identical=3)},
            "No token of base differs in copy: all are bit for bit identical",
        ),
        (
            {"half": table(rounded=3), "decayed": table(shrunk=3)},
            "No token of base moved in any of 2 models, beyond shrinking and rounding",
        ),
        ({}, "No model to compare with base"),
    ],
)
def test_the_title_is_a_claim(tables, claim):
    assert claim in all_text(draw(tables, base="base", component="text_encoder"))


def test_decay_is_told_where_there_is_any():
    shrunk = all_text(draw({"a": table(shrunk=7)}, base="base", component="text_encoder"))
    assert "7\u00a0shrunk\u00a0×\u00a00.9995" in shrunk
    assert "weight decay" in shrunk
    assert "weight decay" not in all_text(
        draw({"a": table(moved=7)}, base="base", component="text_encoder")
    )


@pytest.mark.parametrize(
    ("factor", "told"),
    [(0.9, "0.9"), (0.99950012, "0.9995"), (0.9999998512, "0.99999985"), (1.01, "1.01")],
)
def test_a_factor_has_the_digits_that_tell_it_from_1(factor, told):
    given = table(shrunk=3).set_column(6, "scale", pa.array([factor] * 3))
    written = texts(draw({"a": given}, base="base", component="text_encoder"))
    assert f"3\u00a0shrunk\u00a0×\u00a0{told}" in written


def test_odd_tokens_make_a_readable_svg(tmp_path):
    odd = [printable(each) for each in ODD[:8]]
    given = table(moved=8).set_column(1, "text", pa.array(odd))
    svg, _ = style.save(draw({"a": given}, base="b", component="all"), tmp_path / "odd")
    written = ["".join(each.itertext()) for each in ElementTree.parse(svg).iter()]
    assert {shown(each, 0) for each in odd} <= set(written)


def test_equal_tables_make_equal_bytes(tmp_path):
    for name in ("one", "two"):
        style.save(draw(many(2), base="base", component="text_encoder"), tmp_path / name)
    for ending in ("svg", "png"):
        one, two = (tmp_path / f"{name}.{ending}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_statuses_all_have_a_look():
    assert set(vocabulary_picture.LOOKS) == set(STATUSES)
