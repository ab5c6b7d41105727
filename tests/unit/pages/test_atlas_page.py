"""What the page of a group is given: facets, colours, cards, and nothing that can break out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import group_pages
import packed_parts
from atlas.pages import atlas_page
from atlas.pages.atlas_page import BROKEN, REMARKED, SOUND, Card, Facet, Group
from atlas.plots.style import QUALITATIVE


def group(size, facets=(), ordered=False, **facts):
    """Return a group of so many models of one component."""
    ids = [f"m{number:02}" for number in range(size)]
    matrices = group_pages.component(
        "unet", ids, ids, np.random.default_rng(1), size, base="m01", ordered=ordered
    )
    return Group(
        matrices={"unet": matrices},
        cards={model: Card(tags=("Old",)) for model in ids},
        title="t",
        subtitle="s",
        measure="cosine",
        facets=facets,
        **facts,
    )


def facet(name, values, **facts):
    """Return a facet of one value each; an empty one is none."""
    of = {f"m{row:02}": [value] if value else [] for row, value in enumerate(values)}
    return Facet(name, name, of, **({"is_colour": True} | facts))


def told(path: Path, of: Group):
    """Write a page and return what it was told."""
    atlas_page.write(path, of)
    found = re.search(r'<script[^>]*id="data"[^>]*>([^<]*)</script>', path.read_text("utf-8"))
    return packed_parts.opened(found[1])[0]


def test_categories_come_in_their_order_then_the_commonest_first():
    values = ["b", "a", "c", "c", "", "d", "b"]
    assert facet("x", values).categories() == ["b", "c", "a", "d"]
    assert facet("x", values, order=["z", "d", "c"]).categories() == ["d", "c", "b", "a"]


def test_a_facet_counts_its_models_and_says_which_have_none(tmp_path):
    own = facet("x", ["b", "a", "", "b"], lacking="nothing")
    (found,) = told(tmp_path / "x.html", group(4, [own]))["facets"]
    assert found["categories"] == ["b", "a"]
    assert found["counts"] == [2, 1]
    assert found["codes"] == [[0], [1], [], [0]]
    assert found["lacking"] == "nothing"


MANY = 24
TAGS = facet("tag", ["x"] * 20 + ["y"] * 4)
DTYPES = facet("dtype", ["p"] * 23 + ["q"])
FAMILIES = facet("family.unet", ["A", "B", "C", "D"] * 6)


@pytest.mark.parametrize(
    ("size", "facets", "ordered", "wanted"),
    [
        (MANY, [FAMILIES, TAGS], False, ["tag", "family.unet", "order"]),
        (MANY, [DTYPES, FAMILIES], False, ["family.unet", "dtype", "order"]),
        (MANY, [TAGS, FAMILIES], True, ["order", "tag", "family.unet"]),
        (MANY, [], False, ["order"]),
        (5, [facet("tag", "xyxyx")], False, ["model", "tag"]),
        (MANY, [facet("tag", ["x"] * MANY)], False, ["order"]),
        (MANY, [facet("tag", ["x"] * 9 + [""] * 15)], False, ["tag", "order"]),
        (MANY, [replace(TAGS, is_colour=False)], False, ["order"]),
    ],
)  # fmt: skip
def test_the_colour_at_first_is_what_tells_most(tmp_path, size, facets, ordered, wanted):
    found = told(tmp_path / "x.html", group(size, facets, ordered))
    assert [column["name"] for column in found["columns"]] == wanted
    assert found["start"]["colour"] == 0
    strips = [found["columns"][place]["name"] for place in found["strips"]]
    assert strips == [name for name in wanted if name not in ("order", "model")]


def test_models_have_colours_of_their_own_while_there_are_enough(tmp_path):
    for size in (len(QUALITATIVE), len(QUALITATIVE) + 1):
        columns = told(tmp_path / "x.html", group(size))["columns"]
        assert columns[0]["name"] == ("model" if size == len(QUALITATIVE) else "order")
        assert columns[0]["values"] == list(range(size))


def test_a_page_knows_its_base_its_measure_and_the_order(tmp_path):
    found = told(tmp_path / "x.html", group(4))
    assert found["base"] == 1
    assert found["measures"][found["start"]["measure"]]["name"] == "cosine"
    assert (found["is_ordered"], found["order"]) == (False, [])
    found = told(tmp_path / "x.html", group(4, ordered=True))
    assert (found["is_ordered"], found["order"]) == (True, [0, 1, 2, 3])


def test_a_search_finds_ids_labels_and_tags_in_small_letters(tmp_path):
    own = group(3)
    matrices = [replace(each, labels=("One", "TWO", "three")) for each in own.matrices["unet"]]
    found = told(tmp_path / "x.html", replace(own, matrices={"unet": matrices}))
    assert [text.split("\n") for text in found["texts"]] == [
        ["one", "m00", "old"],
        ["two", "m01", "old"],
        ["three", "m02", "old"],
    ]


def test_the_health_is_the_worst_that_is_known():
    assert Card().health == SOUND
    assert Card(findings=("x",)).health == REMARKED
    assert Card(problem="x", findings=("x",)).health == BROKEN


def test_equal_input_gives_equal_bytes(tmp_path):
    for name in ("one", "two"):
        group_pages.made(tmp_path / name, 9, hurting=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_no_text_ends_the_element_that_it_is_in(tmp_path):
    own = replace(group(3), title=group_pages.HURTING)
    own = replace(own, findings=[group_pages.HURTING], links=[(group_pages.HURTING, "x")])
    found = told(tmp_path / "x.html", own)
    assert found["title"] == group_pages.HURTING
    assert found["findings"] == [group_pages.HURTING]
    text = (tmp_path / "x.html").read_text("utf-8")
    assert group_pages.HURTING not in text
    assert "<img" not in text
    assert text.count("</script>") == len(re.findall(r"<script\b", text))
