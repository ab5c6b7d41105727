"""Labels find places beside their points, or it is said that there is no room."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.plots.placement import place

SIZE = (0.3, 0.12)
RADIUS = 0.05


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_labels_overlap_neither_labels_nor_points(count, seed):
    points = np.random.default_rng(seed).uniform(1, 5, size=(count, 2))
    labels = place(points, [SIZE] * count, bounds=(0, 0, 6, 6), radius=RADIUS)
    boxes = [label.box for label in labels]
    discs = [(*(point - RADIUS), *(point + RADIUS)) for point in points]
    assert not any(overlap(boxes[a], boxes[b]) for a in range(count) for b in range(a))
    assert not any(overlap(box, disc) for box in boxes for disc in discs)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 6 and box[3] <= 6 for box in boxes)


def test_far_labels_have_a_line_to_their_point():
    points = np.full((12, 2), 3.0) + np.arange(12)[:, None] * 0.01
    labels = place(points, [SIZE] * 12, bounds=(0, 0, 6, 6), radius=RADIUS)
    far = [label for label in labels if label.leader]
    assert far
    for label in far:
        left, top, right, bottom = label.box
        x, y = label.leader[1]
        assert left <= x <= right
        assert top <= y <= bottom


def test_no_room_is_said():
    points = np.full((30, 2), 0.5)
    assert place(points, [SIZE] * 30, bounds=(0, 0, 1, 1), radius=RADIUS) is None


def test_labels_of_lines_lie_on_them_where_they_can():
    labels = place(np.array([[1.0, 1.0]]), [SIZE], bounds=(0, 0, 2, 2), radius=0.0)
    assert np.allclose(labels[0].centre, (1.0, 1.0))


def test_labels_keep_off_lines():
    lines = np.array([[[1.0, 1.0], [2.0, 1.0]]])
    label = place(np.array([[1.0, 1.0]]), [SIZE], bounds=(0, 0, 3, 3), radius=RADIUS, lines=lines)[
        0
    ]
    assert not (label.box[1] < 1.0 < label.box[3] and label.box[2] > 1.0)
