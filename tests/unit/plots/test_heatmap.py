"""The heatmap's title: what it says of all pairs, each counted once."""

import numpy as np
import pytest

from atlas.plots import heatmap
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
