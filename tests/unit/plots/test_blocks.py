"""Pictures of blocks: rows and columns in order, an honest title, and no text on another."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest
from matplotlib.patches import Patch

from atlas.plots import blocks
from atlas.plots.headings import headings_of
from atlas.plots.layout import LARGEST
from atlas.plots.style import resolution
from atlas.relations import moved
from atlas.relations.moved import Grid, Moved
from drawn_texts import overlapping, text_boxes, texts
from synthetic_families import family, matrix_of
from tidy_parts import moved_group

UNET = [*(f"IN{n:02d}" for n in range(12)), "MID", *(f"OUT{n:02d}" for n in range(12))]
FLUX = [
    "context_embedder",
    *(f"transformer_blocks.{number}" for number in range(19)),
    *(f"single_transformer_blocks.{number}" for number in range(38)),
    "norm_out",
    "proj_out",
]


def grid(values, columns, *, identical=(), coverage=None):
    """Return a grid of models m-1, m-2, ...; identical are places, as the rows' and columns'."""
    values = np.array(values, dtype=float)
    same = np.zeros(values.shape, dtype=bool)
    for place in identical:
        same[place] = True
    values[same] = np.nan
    covered = np.ones(values.shape) if coverage is None else np.array(coverage, dtype=float)
    rows = tuple(f"m-{number + 1}" for number in range(len(values)))
    return Grid(rows, tuple(columns), values, same, covered)


def drawn(of_blocks, **options):
    """Return the picture of these blocks, and of one role."""
    rows = len(of_blocks.rows)
    labels = tuple(f"model {number}" for number in range(rows + 1))
    matrix = matrix_of(family(rows + 1).values, labels=labels, base="m-0", **options)
    roles = grid(np.full((rows, 1), 0.5), ["norm"])
    return blocks.draw(matrix, Moved("m-0", of_blocks, roles))


def title(of_blocks):
    """Return the two lines that the picture writes first."""
    return " ".join(texts(drawn(of_blocks))[:2])


THREE = ["IN00", "MID", "OUT00"]
ALL = [(row, column) for row in range(2) for column in range(3)]
CASES = [
    (
        grid([[1, 3, 2], [1, 5, 2], [9, 3, 2]], THREE),
        "MID moved most in 2 of 3 models from model 0",
    ),
    (grid([[1, 3, 2], [1, 5, 2]], THREE), "MID moved most in all 2 models from model 0"),
    (
        grid([[1, 3, 2], [7, 5, 2]], THREE),
        "another block moved most from model 0 in each of 2 models",
    ),
    (grid([[1, 3, 2]], THREE), "MID moved most from model 0 to model 1"),
    (
        grid(np.ones((2, 3)), THREE, identical=ALL),
        "all 2 other models are identical in every block to",
    ),
    (grid(np.zeros((2, 3)), THREE), "no block that was compared lies apart from that of model 0"),
    (
        grid(np.full((2, 3), np.nan), THREE, coverage=np.zeros((2, 3))),
        "no block of each of 2 other models could be compared with model 0",
    ),
    (
        grid([[1, 3, 2], [1, 5, 2], [1, 1, 1]], THREE, identical=[(2, 0), (2, 1), (2, 2)]),
        "MID moved most in all 2 models from model 0, 1 identical",
    ),
    (
        grid([[1, 3, 2], [1, 5, 2]], THREE, coverage=[[1, 0.5, 1], [1, 0.5, 1]]),
        "OUT00 moved most in all 2 models",
    ),
]


@pytest.mark.parametrize(("of_blocks", "says"), CASES, ids=[says for _, says in CASES])
@pytest.mark.filterwarnings("error")
def test_the_title_says_what_moved_most_or_why_nothing_did(of_blocks, says):
    assert says in title(of_blocks)
    assert overlapping(text_boxes(drawn(of_blocks))) == []


def test_rows_follow_the_common_order_and_leave_out_the_reference():
    of_blocks = grid([[1, 3, 2], [1, 5, 2], [9, 3, 2]], THREE)
    names = [f"model {number}" for number in range(4)]
    for options, order in (
        ({"order": ("m-2", "m-0", "m-3", "m-1")}, [2, 3, 1]),
        ({"order": ("m-2", "m-0", "m-3", "m-1"), "ordered": True}, [1, 2, 3]),
    ):
        found = [text for text in texts(drawn(of_blocks, **options)) if text in names]
        assert found == [names[number] for number in order]


def test_cells_show_what_is_known_of_them():
    coverage = [[1, 1, 0], [np.nan, 1, 0.5]]
    of_blocks = grid([[1, 0, np.nan], [np.nan, 3, 2]], THREE, identical=[(0, 0)], coverage=coverage)
    figure = drawn(of_blocks)
    found = texts(figure)
    for meaning in (
        "identical weights",
        "0: equal values, stored differently",
        "not compared",
        "compared in part",
        "neither model has it",
    ):
        assert meaning in found
    hatched = [patch for patch in figure.findobj(Patch) if patch.get_hatch()]
    assert len(hatched) == 2, "one of the legend, and one cell"


def test_a_series_with_a_long_name_is_named_once():
    found = headings_of(FLUX, 0.2)
    assert [heading.text for heading in found if heading.numbers] == [
        "transformer_blocks",
        "single_transformer_blocks",
    ]
    assert [len(heading.numbers) for heading in found if heading.numbers] == [19, 38]
    assert [heading.text for heading in headings_of(UNET, 0.2)] == UNET


@cache
def page(size, columns):
    """Return the picture of a family's blocks, and its texts with their boxes."""
    matrix = family(size, copies=size // 12, apart=size // 20, base="m-0")
    random = np.random.default_rng(size)
    of_blocks = grid(random.lognormal(-4, 1, (size - 1, len(columns))), columns)
    roles = grid(random.lognormal(-4, 1, (size - 1, 3)), ["norm", "feed_forward", "convolution"])
    figure = blocks.draw(matrix, Moved("m-0", of_blocks, roles))
    return matrix, figure, text_boxes(figure)


@pytest.mark.parametrize("size", [2, 3, 12, 48, 232])
@pytest.mark.parametrize("columns", [("encoder", "decoder"), tuple(UNET), tuple(FLUX)], ids=len)
def test_no_text_overlaps_another_or_leaves_the_page(size, columns):
    _, figure, boxes = page(size, columns)
    assert overlapping(boxes) == []
    width, height = figure.get_size_inches() * 72
    inside = [box.x0 > 0 and box.y0 > 0 and box.x1 < width and box.y1 < height for _, box in boxes]
    assert all(inside)


def test_a_thousand_models_fit_on_a_page_and_some_of_their_names():
    matrix, figure, boxes = page(1000, tuple(FLUX))
    assert max(figure.get_size_inches()) * resolution(figure) <= 6000
    assert figure.get_size_inches()[1] < LARGEST + 4
    found = {text for text, _ in boxes}
    assert sum(label in found for label in matrix.labels[1:]) == 333
    assert any("Of every 3 rows the first is named" in text for text in found)


def test_all_of_hundreds_of_models_are_named():
    matrix, _, boxes = page(232, tuple(UNET))
    found = {text for text, _ in boxes}
    assert [label for label in matrix.labels[1:] if label not in found] == []


def test_the_tables_numbers_are_drawn(tmp_path):
    models = [f"m-{number}" for number in range(5)]
    pq.write_table(moved_group(models, UNET, copies=1), tmp_path / "distances.parquet")
    found = moved.from_reference(tmp_path / "distances.parquet", "m-0", models)["unet"]
    figure = blocks.draw(replace(family(5), reference="m-0"), found)
    shown = [
        axes for axes in figure.axes if axes.images and axes.images[0].get_array().shape[1] > 3
    ]
    colours = shown[0].images[0].get_array()
    order = np.argsort(found.blocks.values[np.isfinite(found.blocks.values)])
    rows = [found.blocks.rows.index(model) for model in _rows(figure, family(5))]
    places = np.ma.filled(colours, np.nan)[np.argsort(rows)]
    np.testing.assert_array_equal(np.argsort(places[np.isfinite(places)]), order)


def _rows(figure, matrix):
    ids = dict(zip(matrix.labels, matrix.ids, strict=True))
    return [ids[text] for text in texts(figure) if text in ids]
