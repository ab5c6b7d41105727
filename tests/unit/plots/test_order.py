"""The order of clustered pictures: what was not compared stays apart."""

import numpy as np
import pytest

from atlas.plots.order import leaves_of
from synthetic_families import matrix_of

ISLANDS = (0, 2, 4), (1, 3)
"""Models of which only those of one island were compared."""


def islands(unit: float) -> np.ndarray:
    """Return distances of one to two units within the islands, none between them."""
    values = np.full((5, 5), np.nan)
    for island in ISLANDS:
        for place, a in enumerate(island):
            for b in island[:place]:
                values[a, b] = values[b, a] = unit * (1 + place / 2)
    np.fill_diagonal(values, 0.0)
    return values


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_islands_meet_at_half_again_the_largest_distance(unit):
    leaves = leaves_of(matrix_of(islands(unit)))
    assert set(ISLANDS[0]) in (set(leaves.order[:3]), set(leaves.order[2:]))
    assert leaves.merges[-1, 2] == pytest.approx(1.5 * 2 * unit)
    assert (leaves.merges[:-1, 2] <= 2 * unit).all()


def test_islands_of_equal_models_stay_apart_too():
    values = np.where(np.isnan(islands(1.0)), np.nan, 0.0)
    leaves = leaves_of(matrix_of(values))
    assert leaves.merges[:, 2].tolist() == [0.0, 0.0, 0.0, 1.5]
