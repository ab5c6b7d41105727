"""Pages: data packed and found again, modules put together, and what does not fit refused."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pytest

import map_pages
from atlas.basis.errors import AtlasError
from atlas.pages import map_page, modules, sheets
from atlas.pages.packing import Packing

XY = np.zeros(2, np.float32)
ROWS = np.arange(2, dtype=np.int32)
POINTS = pa.table({"id": ["a", "b"], "word": ["x", None]})
VIEW = map_page.View({"layer": "mid"}, ROWS, XY, XY)


def unpacked(text):
    """Read a packed text as the page does."""
    whole = gzip.decompress(base64.b64decode(text))
    length = int.from_bytes(whole[:4], "little")
    told = json.loads(whole[4 : 4 + length])
    start = -(-(4 + length) // 8) * 8
    arrays = {
        each["name"]: np.frombuffer(
            whole, f"<{each['kind']}", each["count"], start + each["offset"]
        )
        for each in told["arrays"]
    }
    return told["facts"], arrays


def facts_of(path):
    """Return what a page holds."""
    return unpacked(re.search(r'id="data">([^<]+)<', path.read_text())[1])


def test_facts_and_arrays_come_out_as_they_went_in():
    packing = Packing()
    given = [
        np.arange(5, dtype=np.uint8),
        np.array([[1.5, -2.5]], np.float32),
        np.array([-7], np.int32),
        np.array([3], np.int16),
    ]
    names = [packing.add(array) for array in given]
    facts, arrays = unpacked(packing.packed({"title": "Bär </script>"}))
    assert facts == {"title": "Bär </script>"}
    for name, array in zip(names, given, strict=True):
        np.testing.assert_array_equal(arrays[name], array.ravel(), strict=True)


def test_equal_maps_are_equal_bytes(tmp_path):
    page, _ = map_pages.small(tmp_path / "one")
    again, _ = map_pages.small(tmp_path / "two")
    assert page.read_bytes() == again.read_bytes()


def test_a_page_has_no_text_of_the_user_in_its_markup_and_asks_for_nothing(tmp_path):
    page, _ = map_pages.small(tmp_path)
    text = page.read_text()
    assert map_pages.HOSTILE not in text
    assert "&lt;/script&gt;" in text  # in the title
    assert not re.findall(r"""(?:src|href)\s*=\s*["']""", text)
    assert "default-src 'none'" in text
    assert text.count("</script>") == text.count("<script")


def test_modules_come_after_what_they_import_and_lose_their_imports():
    text = modules.script("viewer.js")
    assert not re.search(r"^(?:import|export) ", text, re.M)
    assert text.index("class Model ") < text.index("class Viewer ")
    assert text.count("class Grid ") == 1


def test_two_modules_that_declare_one_name_are_refused(tmp_path, monkeypatch):
    shutil.copytree(modules.ASSETS, tmp_path / "assets")
    with (tmp_path / "assets/theme.js").open("a") as file:
        file.write("\nconst REACH = 1;\n")
    monkeypatch.setattr(modules, "ASSETS", tmp_path / "assets")
    with pytest.raises(AtlasError, match=r"theme\.js and viewer\.js both declare REACH"):
        modules.script("viewer.js")


def test_columns_are_categories_or_scales(tmp_path):
    count = 80
    points = pa.table(
        {
            "id": [str(number) for number in range(count)],
            "digit": [number % 10 for number in range(count)],
            "step": list(range(count)),
            "share": pa.array([None, *np.linspace(0, 1, count - 1)]),
            "is real": [number % 2 == 0 for number in range(count)],
            "word": pa.array([f"w{number % 12}" for number in range(count)]).dictionary_encode(),
        }
    )
    rows = np.arange(count, dtype=np.int32)
    xy = np.zeros(count, np.float32)
    map_page.write(
        tmp_path / "x.html",
        title="",
        subtitle="",
        points=points,
        views=[map_page.View({"layer": "a"}, rows, xy, xy)],
    )
    facts, arrays = facts_of(tmp_path / "x.html")
    columns = {column["name"]: column for column in facts["columns"]}
    kinds = {name: column["kind"] for name, column in columns.items()}
    assert kinds == {
        "digit": "category", "step": "number", "share": "number",
        "is real": "category", "word": "category",
    }  # fmt: skip
    assert columns["word"]["categories"][:3] == ["w0", "w1", "w2"]
    assert columns["word"]["categories"][-1] == "w11"
    assert np.isnan(arrays[columns["share"]["array"]][0])
    codes = arrays[columns["digit"]["array"]]
    assert [columns["digit"]["categories"][code] for code in codes[:3]] == ["0", "1", "2"]


def test_a_column_that_lacks_values_has_none_there(tmp_path):
    map_page.write(tmp_path / "x.html", title="", subtitle="", points=POINTS, views=[VIEW])
    facts, arrays = facts_of(tmp_path / "x.html")
    (column,) = facts["columns"]
    assert column["categories"] == ["x"]
    assert list(arrays[column["array"]]) == [0, -1]


@pytest.mark.parametrize("label", ["word", "id", None])
def test_origins_and_what_is_written_beside_points_are_in_the_page(tmp_path, label):
    origins = np.array([1, -1], np.int32)
    given = {"title": "", "subtitle": "", "points": POINTS, "views": [VIEW]}
    map_page.write(tmp_path / "x.html", **given, origins=origins, label=label)
    facts, arrays = facts_of(tmp_path / "x.html")
    np.testing.assert_array_equal(arrays[facts["origins"]], origins)
    assert facts["label"] == label
    assert facts["neighbours_title"] == "Nearest neighbours"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 17, 64])
def test_an_origin_may_have_an_origin_and_none_may_be_its_own(count):
    chain = np.arange(count, dtype=np.int32) - 1
    assert not list(map_page._origin_faults(chain, count))
    for back in range(count):  # the first comes from one that comes from it
        chain[0] = back
        assert list(map_page._origin_faults(chain, count)) == ["origins lead round in a circle"]


def test_one_image_of_many_points_is_packed_once(tmp_path):
    files = map_pages.images(tmp_path, 3)
    packed = sheets.packed([files[0], None, files[2], files[0]], side=32)
    assert list(packed.cells) == [0, -1, 1, 0]
    assert len(packed.sheets) == 1


def test_a_sample_takes_less_than_4_kb_with_its_image(tmp_path):
    count = 600
    files = map_pages.images(tmp_path, count)
    packed = sheets.packed(files, side=64)
    assert sum(map(len, packed.sheets)) / count < 3500


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"points": pa.table({"id": ["a", "a"]})}, "1 ids are there twice"),
        ({"points": pa.table({"name": ["a", "b"]})}, "no column id"),
        ({"colour": "wrod"}, "there is no column wrod; did you mean word"),
        ({"switches": ["other"]}, "there is no column other"),
        ({"thumbnails": [None]}, "1 thumbnails of 2 points"),
        ({"base": np.array([True])}, "base is told of 1 of 2 points"),
        ({"label": "wrod"}, "there is no column wrod; did you mean word"),
        ({"origins": ROWS[:1]}, "origins are told of 1 of 2 points"),
        ({"origins": ROWS + 1}, "an origin is a point that there is not"),
        ({"origins": ROWS - 2}, "an origin is a point that there is not"),
        ({"origins": np.array([-1, 1], np.int32)}, "origins lead round in a circle"),
        ({"origins": ROWS[::-1]}, "origins lead round in a circle"),
        ({"views": []}, "there is no view"),
        ({"views": [map_page.View({}, ROWS, XY, XY[:1])]}, "unequal lengths"),
        ({"views": [map_page.View({}, ROWS, XY, XY * np.nan)]}, "a place is NaN"),
        ({"views": [map_page.View({}, ROWS + 1, XY, XY)]}, "points that there are not"),
        ({"views": [map_page.View({}, ROWS * 0, XY, XY)]}, "a point twice"),
        (
            {"views": [map_page.View({}, ROWS, XY, XY, np.full((2, 1), 2, np.int32), XY[:, None])]},
            "a neighbour is a point that there is not",
        ),
        (
            {"views": [VIEW, map_page.View({"time": "1"}, ROWS, XY, XY)]},
            "its choices are not those of the first view",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(tmp_path, change, problem):
    given = {"title": "", "subtitle": "", "points": POINTS, "views": [VIEW]} | change
    with pytest.raises(AtlasError, match=problem):
        map_page.write(tmp_path / "x.html", **given)


def test_an_image_that_is_none_is_told_by_name(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(AtlasError, match=r"a\.png: can't be read as an image"):
        map_page.write(
            tmp_path / "x.html",
            title="",
            subtitle="",
            points=POINTS,
            views=[VIEW],
            thumbnails=[tmp_path / "a.png", None],
        )
