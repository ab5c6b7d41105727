"""The line: from near to far unless the models have an order of their own."""

import numpy as np
from matplotlib.patches import Rectangle

from atlas.plots import line
from drawn_texts import texts
from synthetic_families import matrix_of

POINTS = np.array([5.0, 0.0, 9.0, 4.0])


def drawn(**options):
    """Return the labels in the order of the rows, and all texts."""
    labels = ("five", "zero", "nine", "four")
    values = options.pop("values", np.abs(POINTS[:, None] - POINTS))
    found = texts(line.draw(matrix_of(values, labels=labels, base="m-1", **options)))
    return [text for text in found if text in labels], found


def test_models_without_an_order_are_sorted_by_distance():
    rows, found = drawn()
    assert rows == ["zero", "four", "five", "nine"]
    assert any("the nearest first" in text for text in found)


def test_models_in_the_order_of_making_keep_it():
    rows, found = drawn(ordered=True)
    assert rows == ["five", "zero", "nine", "four"]
    assert any("order of making" in text for text in found)


def test_what_was_not_compared_comes_last():
    values = np.abs(POINTS[:, None] - POINTS)
    values[1, 3] = values[3, 1] = np.nan
    assert drawn(values=values)[0] == ["zero", "five", "nine", "four"]


def test_copies_of_the_reference_follow_it():
    values = np.abs(POINTS[:, None] - POINTS)
    values[0, 1] = values[1, 0] = 0.0
    assert drawn(values=values)[0][:2] == ["zero", "five"]


def test_a_distance_in_part_says_so_and_is_not_the_farthest():
    coverage = np.ones((4, 4))
    coverage[1, 2] = coverage[2, 1] = 0.5
    _, found = drawn(coverage=coverage)
    assert "9 in part" in found
    assert "farthest from zero is five" in found[0]


def test_an_identical_part_is_no_gap():
    values = np.abs(POINTS[:, None] - POINTS)
    values[1, 2] = values[2, 1] = np.nan
    coverage = np.ones((4, 4))
    coverage[1, 2] = coverage[2, 1] = 0.5
    rows, found = drawn(values=values, coverage=coverage)
    assert rows[-1] == "nine"
    assert "= in part" in found
    assert "not compared" not in found
    labels = ("five", "zero", "nine", "four")
    figure = line.draw(matrix_of(values, labels=labels, base="m-1", coverage=coverage))
    assert not any(patch.get_hatch() for patch in figure.findobj(Rectangle))
