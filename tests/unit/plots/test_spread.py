"""The heatmap's scale: near and far pairs have their colours, and the bar tells the truth."""

import numpy as np
import pytest

from atlas.plots import heatmap
from atlas.plots.cells import cells_of
from atlas.plots.order import leaves_of
from atlas.plots.spread import Spread
from drawn_texts import texts
from synthetic_families import family, matrix_of


def places(values):
    """Return where the values stand on their own scale."""
    values = np.asarray(values, dtype=np.float64)
    return Spread.of(values).place(values)


def test_one_tiny_pair_leaves_the_others_their_colours():
    ordinary = np.geomspace(10, 100, 60)
    found = places([1e-30, *ordinary])
    assert found[0] == 0
    assert np.ptp(found[1:]) > 0.8
    assert (np.diff(found) > 0).all()


def test_one_huge_pair_leaves_the_others_their_colours():
    found = places([*np.geomspace(10, 100, 60), 1e30])
    assert found[-1] == 1
    assert np.ptp(found[:-1]) > 0.8


@pytest.mark.parametrize("outlier", [[], [1e-6], [1e9]])
def test_noise_is_no_structure(outlier):
    noise = 5.0 * (1 + 0.01 * np.linspace(0, 1, 50))
    assert np.ptp(places([*noise, *outlier])[:50]) < 0.1


def test_the_bar_reads_back_what_was_coloured():
    values = family(12).values
    values = values[values > 0]
    scale = Spread.of(values)
    assert [scale.value(place) for place in scale.place(values)] == pytest.approx(values)
    assert scale.value(0.0) == pytest.approx(values.min())
    assert scale.value(1.0) == pytest.approx(values.max())


def test_the_bars_numbers_are_distances_at_even_steps_of_colour():
    points = np.array([0.0, 1, 3, 7, 15, 31, 63])
    matrix = matrix_of(np.abs(points[:, None] - points))
    scale = Spread.of(cells_of(matrix, leaves_of(matrix).order).values)
    drawn = texts(heatmap.draw(matrix))
    start = drawn.index("1")
    shown = [f"{scale.value(share):.3g}" for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert set(shown) <= set(drawn[start:])


def test_one_value_alone_has_a_scale():
    assert places([3.0, 3.0]).tolist() == [0.5, 0.5]
