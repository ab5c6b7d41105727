"""Where points lie between two others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.lineage.positions import between

coordinate = st.floats(-100, 100)


@given(st.lists(coordinate, min_size=9, max_size=9))
def test_place_is_that_of_the_foot_of_the_perpendicular(numbers):
    point, first, second = np.array(numbers).reshape(3, 3)
    line = second - first
    length = np.linalg.norm(line)
    if length < 1e-3:
        return
    along, off = between(length, np.linalg.norm(point - first), np.linalg.norm(point - second))
    truth = (point - first) @ line / length**2
    foot = first + truth * line
    assert along == pytest.approx(truth, abs=1e-6 * max(1, abs(truth)))
    expected = np.linalg.norm(point - foot) / length
    assert off**2 == pytest.approx(expected**2, abs=1e-9 * max(1, truth**2))


def test_no_line_has_no_places():
    assert np.isnan(between(0.0, 1.0, 1.0)).all()
