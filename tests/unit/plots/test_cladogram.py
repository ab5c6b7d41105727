"""Trees whose branches are too short to see are drawn without lengths too."""

import numpy as np
import pytest

from atlas.plots import cladogram, tree
from drawn_texts import overlapping, text_boxes, texts
from synthetic_families import family, matrix_of


def with_one_far(far, size=12, **options):
    """Return models of distances of about 1, the last of them far away."""
    values = family(size, seed=3).values.copy()
    values /= values.max()
    values[-1, :-1] = values[:-1, -1] = far
    return matrix_of(values, **options)


@pytest.mark.parametrize("base", ["m-0", None])
def test_branches_near_0_are_drawn_a_second_time(base):
    figure = tree.draw(with_one_far(200.0, base=base))
    assert cladogram.HEADING in texts(figure)
    boxes = text_boxes(figure)
    assert overlapping(boxes) == []
    width = figure.get_size_inches()[0] * 72
    assert all(box.x1 < width for _, box in boxes)


def test_branches_that_can_be_seen_are_drawn_once():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    values = np.linalg.norm(points[:, None] - points, axis=2)
    assert cladogram.HEADING not in texts(tree.draw(matrix_of(values, base="m-0")))


def test_every_inner_node_stands_apart_from_what_hangs_on_it():
    found = tree.family_of(with_one_far(200.0)).tree
    levels = cladogram.levels_of(found)
    assert all(levels[tip] == 0 for tip in range(found.tips))
    assert all(levels[node] > levels[child] for node in levels for child in found.children[node])
