"""Pictures of matrices: no overlap, nothing dropped in silence, and equal bytes for equal input."""

import importlib
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from atlas.basis.errors import AtlasError
from atlas.measures import SHOWN
from atlas.plots import heatmap, line, map, spectral, style, tree
from atlas.plots.drawing import draw_all
from atlas.plots.nodes import contradictory_zeros, nodes_of
from atlas.plots.order import leaves_of
from atlas.plots.registry import plots_of
from atlas.plots.ticks import readable, round_ticks
from atlas.plots.words import significant
from drawn_texts import all_text, overlapping, text_boxes, texts
from synthetic_families import family, matrix_of

NAMES = [plot.name for plot in plots_of("matrix")]
KINDS = pytest.mark.parametrize("kind", NAMES)


def drawn(kind, matrix):
    return importlib.import_module(f"atlas.plots.{kind}").draw(matrix)


@cache
def page(kind, size):
    """Return the picture of a family, and its texts with their boxes."""
    matrix = family(size, copies=size // 12, apart=size // 20, base="m-0")
    figure = drawn(kind, matrix)
    return matrix, figure, text_boxes(figure)


@KINDS
@pytest.mark.parametrize("size", [2, 3, 12, 48, 250])
def test_no_text_overlaps_another_or_leaves_the_page(kind, size):
    _, figure, boxes = page(kind, size)
    assert overlapping(boxes) == []
    width, height = figure.get_size_inches() * 72
    inside = [box.x0 > 0 and box.y0 > 0 and box.x1 < width and box.y1 < height for _, box in boxes]
    assert all(inside)


@KINDS
def test_every_label_is_written_in_full(kind):
    matrix, _, boxes = page(kind, 48)
    text = "".join(text for text, _ in boxes).replace("\n", "")
    assert [label for label in matrix.labels if label not in text] == []


@KINDS
def test_no_text_is_smaller_than_eight_points(kind):
    _, figure, _ = page(kind, 48)
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip()]
    assert min(sizes) >= 8


@KINDS
def test_pictures_name_group_number_component_measure_and_unit(kind):
    text = all_text(drawn(kind, family(5, measure="rms", component="vae", group="my-group")))
    for part in ("my-group", "5 models", "VAE", "RMS distance (root mean square"):
        assert part in text.replace("\n", " ")


def compared_with_none(size=4):
    values = np.full((size, size), np.nan)
    np.fill_diagonal(values, 0.0)
    return values


def one_apart():
    values = family(5).values.copy()
    values[2], values[:, 2] = np.nan, np.nan
    return values


def two_islands():
    values = compared_with_none(7)
    points = np.random.default_rng(0).normal(size=(7, 3))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    values[:4, :4], values[4:, 4:] = distances[:4, :4], distances[4:, 4:]
    return values


DEGENERATE = {
    "none compared": (matrix_of(compared_with_none()), "none of the 4 models could be compared"),
    "component missing everywhere": (
        matrix_of(np.full((3, 3), np.nan), identical=np.zeros((3, 3), dtype=bool)),
        "none of the 3 models could be compared",
    ),
    "one model": (matrix_of(np.zeros((1, 1))), "1 model"),
    "all identical": (
        matrix_of(np.zeros((3, 3)), identical=np.ones((3, 3), dtype=bool)),
        "3 models",
    ),
    "all zero, ambiguous": (matrix_of(np.zeros((3, 3)), ambiguous_zeros=True), "can mean either"),
    "one apart": (matrix_of(one_apart()), "02-VBP23"),
    "two islands": (matrix_of(two_islands()), "06-VBP23"),
    "all equally far": (matrix_of(3.0 * (1 - np.eye(6))), "6 models"),
    "tiny and huge": (matrix_of([[0, 1e-30, 1e9], [1e-30, 0, 1e9], [1e9, 1e9, 0]]), "3 models"),
    "two models, dollars": (
        matrix_of([[0.0, 2.0], [2.0, 0.0]], labels=("$a_1$", "$b")),
        "2 models",
    ),
}


@KINDS
@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.filterwarnings("error")
def test_degenerate_matrices_give_a_picture_that_says_so(kind, case):
    matrix, says = DEGENERATE[case]
    boxes = text_boxes(drawn(kind, matrix))
    text = " ".join(text for text, _ in boxes).replace("\n", " ")
    assert says in text
    assert "dollars" not in case or "$a_1$" in text
    assert overlapping(boxes) == []


# Each is drawn as a line; other kinds differ for those that add up by themselves and likenesses.
@pytest.mark.parametrize(
    ("kind", "measure"),
    [("line", measure) for measure in SHOWN]
    + [(kind, measure) for kind in NAMES for measure in ("l0", "cosine") if kind != "line"],
)
@pytest.mark.filterwarnings("error")
def test_every_measure_can_be_drawn(kind, measure):
    values = family(6, copies=1).values / 100
    identical = values == 0
    matrix = matrix_of(
        1 - values if measure == "cosine" else values, identical=identical, measure=measure
    )
    assert SHOWN[measure].title in all_text(drawn(kind, matrix))


@KINDS
def test_an_unknown_measure_is_an_error_with_the_nearest_name(kind):
    with pytest.raises(AtlasError, match="did you mean l2"):
        drawn(kind, matrix_of(np.zeros((2, 2)), measure="l22"))


def test_equal_matrices_give_equal_bytes(tmp_path):
    for folder in ("one", "other"):
        draw_all("matrix", family(6, copies=1, base="m-0"), stem=tmp_path / folder / "unet")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    suffixes = [f"{kind}.{suffix}" for kind in NAMES for suffix in ("png", "svg")]
    assert files == sorted(f"unet.{name}" for name in [*suffixes, "tree.nwk"])
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_colours_are_the_same_in_every_picture_and_component():
    colours = [
        style.colours_of(family(6, seed=seed, component=component)).models
        for seed, component in ((0, "unet"), (1, "vae"))
    ]
    assert colours[0] == colours[1]


def test_an_ordered_group_is_coloured_from_first_to_last():
    colours = style.colours_of(family(20, ordered=True))
    assert len(set(colours.models)) == 20
    assert [meaning for meaning, _ in colours.legend] == ["first made", "last made"]


def test_the_heatmap_puts_near_models_side_by_side():
    points = np.array([0.0, 10.0, 0.1, 10.1, 0.2])
    order = leaves_of(matrix_of(np.abs(points[:, None] - points[None]))).order
    assert sorted(order[:3]) == [0, 2, 4]


def test_models_compared_with_nothing_come_last_in_the_heatmap():
    assert leaves_of(matrix_of(one_apart())).order[-1] == 2
    assert "not compared" in texts(heatmap.draw(matrix_of(one_apart())))


def test_a_fixed_order_is_kept_by_heatmap_and_tree():
    ids = tuple(f"m-{number}" for number in (3, 0, 4, 1, 2))
    assert leaves_of(matrix_of(family(5).values, order=ids)).order == (3, 0, 4, 1, 2)


def test_heatmap_cells_print_the_distance_and_mark_identical_models():
    values = np.array([[0, 0, 2.345678], [0, 0, 2.345678], [2.345678, 2.345678, 0]])
    figure = heatmap.draw(matrix_of(values, identical=values == 0))
    assert texts(figure).count("2.35") >= 4
    assert "identical weights" in texts(figure)


def test_distances_that_cover_a_part_are_marked_and_said():
    values = family(4).values
    coverage = np.ones((4, 4))
    coverage[0, 1] = coverage[1, 0] = 0.125
    matrix = matrix_of(values, coverage=coverage)
    assert "compared in part" in texts(heatmap.draw(matrix))
    for kind in NAMES:
        text = all_text(drawn(kind, matrix)).replace("\n", " ")
        assert "1 pair could be compared in part only, the least on 12 %" in text
    assert "compared in part" not in all_text(heatmap.draw(matrix_of(values)))


def test_identical_models_are_one_node():
    nodes = nodes_of(family(12, copies=4))
    assert sum(len(rows) for rows in nodes.members) == 12
    assert len(nodes.members) == 8
    assert (nodes.distances[~np.eye(8, dtype=bool)] > 0).all()


def test_the_larger_of_two_islands_is_drawn_and_the_other_named():
    nodes = nodes_of(matrix_of(two_islands()))
    assert nodes.left_out == (4, 5, 6)
    for kind in ("tree", "map", "spectral"):
        text = all_text(drawn(kind, matrix_of(two_islands()))).replace("\n", " ")
        assert "Not drawn (3)" in text


def test_a_zero_that_contradicts_other_distances_is_no_identity():
    distances = np.array([[0, 0, 5.0], [0, 0, 7.0], [5.0, 7.0, 0]])
    assert contradictory_zeros(distances)[0, 1]
    nodes = nodes_of(matrix_of(distances, ambiguous_zeros=True))
    assert nodes.members != ((0, 1), (2,))
    consistent = np.array([[0, 0, 5.0], [0, 0, 5.0], [5.0, 5.0, 0]])
    assert nodes_of(matrix_of(consistent, ambiguous_zeros=True)).members == ((0, 1), (2,))


def test_the_tree_says_where_its_root_is():
    assert "rooted at the base" in all_text(tree.draw(family(6, base="m-0"))).replace("\n", " ")
    assert "no base is declared" in all_text(tree.draw(family(6))).replace("\n", " ")
    matrix = matrix_of(one_apart(), base="m-2")
    assert "base has no distances" in all_text(tree.draw(matrix)).replace("\n", " ")


def test_negative_branches_are_said_and_kept_in_the_newick_file():
    points = np.eye(3)
    points = np.vstack([points, points[0] * 0.5 + points[1] * 0.5])
    matrix = matrix_of(np.linalg.norm(points[:, None] - points[None], axis=2))
    assert "came out negative" in all_text(tree.draw(matrix)).replace("\n", " ")
    assert ":-" in tree.newick_of(matrix)


@pytest.mark.parametrize("case", DEGENERATE)
def test_the_newick_file_names_every_compared_model(case):
    matrix = DEGENERATE[case][0]
    nodes = nodes_of(matrix)
    text = tree.newick_of(matrix)
    assert text.endswith(";")
    assert all(matrix.ids[row] in text for rows in nodes.members for row in rows)


def test_the_map_tells_what_its_axes_hold():
    points = np.array([[0.0, 0], [3, 0], [0, 4], [3, 4]])
    matrix = matrix_of(np.linalg.norm(points[:, None] - points[None], axis=2))
    text = all_text(map.draw(matrix)).replace("\n", " ")
    assert "64.0 % of the variance" in text
    assert "36.0 % of the variance" in text
    assert "Shepard correlation 1.000" in text


def test_the_spectral_graph_labels_exactly_the_trees_edges():
    points = np.array([0.0, 1.5, 4.0, 9.25])
    matrix = matrix_of(np.abs(points[:, None] - points[None]))
    found = set(texts(spectral.draw(matrix)))
    assert {"1.5", "2.5", "5.25"} <= found
    assert not {"4", "9.25", "7.75"} & found - {"4"}


def test_the_line_starts_from_the_base_and_leaves_gaps():
    matrix = matrix_of(one_apart(), base="m-3")
    found = texts(line.draw(matrix))
    assert "reference" in found
    assert "not compared" in found
    assert significant(matrix.values[3, 0], 4) in found


def test_models_with_equal_beginnings_stay_apart_on_the_line():
    figure = line.draw(family(12))
    assert len({text for text in texts(figure) if text.endswith(".safetensors")}) == 12


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(3.0, 120.0, [5.0, 10.0, 20.0, 50.0, 100.0]), (1.0, 2.0, [1.0, 1.5, 2.0])],
)
def test_ticks_are_round(low, high, ticks):
    assert round_ticks(low, high) == ticks


def test_ticks_are_few_over_hundreds_of_decades():
    ticks = round_ticks(1e-30, 1e9)
    assert 3 <= len(ticks) <= 6
    assert len(readable(ticks, 1e-30, 1e9, 1.0)) < len(ticks)


def test_the_library_is_used_as_the_page_says(tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "plots.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.+?)```", page, re.S)
    rows = [[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]
    result = {"ml": ["a.ckpt", "b.ckpt", "c.ckpt"], "cm": [], "dm": {"unet": rows}}
    (tmp_path / "result.json").write_text(json.dumps(result))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert {path.name for path in (tmp_path / "pictures").glob("*.png")} == {
        f"unet.{kind}.png" for kind in NAMES
    }
