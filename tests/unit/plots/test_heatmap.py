"""The heatmap: what it says of all pairs, each counted once, and how it shows each."""

import numpy as np
import pytest
from matplotlib.patches import Patch

from atlas.plots import heatmap, spectral
from atlas.plots.cells import cells_of
from drawn_texts import texts
from synthetic_families import matrix_of

FAR = 2.5


def title(values: np.ndarray, identical: np.ndarray) -> str:
    """Return the heatmap's title, which is what it writes first."""
    return texts(heatmap.draw(matrix_of(values, identical=identical)))[0].replace("\n", " ")


def apart(*same: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of four models, 0 in the given pairs, and where they are 0."""
    values = FAR * (1 - np.eye(4))
    for a, b in same:
        values[a, b] = values[b, a] = 0.0
    return values, values == 0


@pytest.mark.parametrize(
    ("same", "told"),
    [
        ([(0, 1)], "1 pair"),
        ([(0, 1), (2, 3)], "2 pairs"),
        ([(0, 1), (0, 2), (1, 2)], "3 pairs"),
    ],
)
def test_pairs_without_a_distance_are_counted_once(same, told):
    values, equal = apart(*same)
    spans = "UNet: 4 models, L2 distance 2.5"
    assert title(values, equal) == f"{spans}, {told} identical"
    assert title(values, np.eye(4, dtype=bool)) == f"{spans}, {told} at 0"


def test_identical_pairs_and_other_zeros_are_told_apart():
    values, _ = apart((0, 1), (2, 3))
    equal = np.eye(4, dtype=bool)
    equal[0, 1] = equal[1, 0] = True
    assert title(values, equal).endswith(", 1 pair identical, 1 pair at 0")


def in_part(*pairs: tuple[int, int], share: float = 0.5) -> np.ndarray:
    """Return the coverage of four models, of which some pairs were compared in part."""
    coverage = np.ones((4, 4))
    for a, b in pairs:
        coverage[a, b] = coverage[b, a] = share
    return coverage


@pytest.mark.parametrize("plot", [heatmap, spectral], ids=["heatmap", "spectral"])
def test_pairs_in_part_do_not_set_the_titles_span(plot):
    values = np.abs(np.subtract.outer([0.0, 1, 3, 7], [0.0, 1, 3, 7]))
    assert texts(plot.draw(matrix_of(values)))[0].endswith("L2 distance 1 to 7")
    matrix = matrix_of(values, coverage=in_part((0, 1), (0, 3)))
    assert texts(plot.draw(matrix))[0].endswith("L2 distance 2 to 6")


def test_a_span_of_pairs_in_part_alone_says_so():
    values = FAR * (1 - np.eye(4))
    coverage = np.where(np.eye(4), 1.0, 0.5)
    found = texts(heatmap.draw(matrix_of(values, coverage=coverage)))[0]
    assert "L2 distance in part 2.5" in found.replace("\n", " ")


def test_an_identical_part_is_marked_and_not_hatched():
    values = FAR * (1 - np.eye(4))
    values[0, 1] = values[1, 0] = np.nan
    matrix = matrix_of(values, coverage=in_part((0, 1)))
    cells = cells_of(matrix, (0, 1, 2, 3))
    assert cells.shared.sum() == 2
    assert cells.partial[0, 1]
    assert not cells.missing.any()
    figure = heatmap.draw(matrix)
    found = texts(figure)
    assert "the compared part is identical" in found
    assert "not compared" not in found
    assert not any(patch.get_hatch() for patch in figure.findobj(Patch))


def test_a_pair_of_nothing_in_common_is_hatched():
    values = FAR * (1 - np.eye(4))
    values[0, 1] = values[1, 0] = np.nan
    figure = heatmap.draw(matrix_of(values, coverage=in_part((0, 1), share=0.0)))
    assert "not compared" in texts(figure)
    assert any(patch.get_hatch() for patch in figure.findobj(Patch))


def test_one_tiny_pair_does_not_flatten_the_cells():
    points = np.array([0.0, 1e-9, 10, 24, 47, 81])
    figure = heatmap.draw(matrix_of(np.abs(points[:, None] - points)))
    (image,) = (axes.images[0] for axes in figure.axes if axes.images and len(axes.texts) > 6)
    shown = image.get_array()[2:, 2:].compressed()
    assert np.ptp(shown) > 0.5
