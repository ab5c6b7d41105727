"""Distances of pairs, from differences."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.projection.pairs import squared_distances
from watched_rows import WatchedRows


@pytest.mark.parametrize(("features", "size"), [(3, 4), (3, 100), (9000, 7), (5000, 1)])
def test_distances_are_those_of_float64(features, size):
    generator = np.random.default_rng(0)
    rows = (generator.normal(size=(30, features)) + 1e3).astype(np.float32)
    first, second = generator.integers(0, 30, (2, 200))
    watched = WatchedRows(rows)
    found = squared_distances(watched, first, second, size)
    wide = rows.astype(np.float64)
    assert np.allclose(found, ((wide[first] - wide[second]) ** 2).sum(axis=1), rtol=1e-12)
    assert (found[first == second] == 0).all()
    assert watched.most_at_once <= size


def test_either_order_of_a_pair_gives_the_same_bits():
    rows = np.random.default_rng(0).normal(size=(20, 777)).astype(np.float32)
    first, second = np.triu_indices(20, k=1)
    one, other = (squared_distances(rows, a, b, 6) for a, b in ((first, second), (second, first)))
    assert one.tobytes() == other.tobytes()


def test_no_pairs_need_no_reading():
    rows = WatchedRows(np.zeros((3, 2), np.float32))
    empty = np.empty(0, np.int64)
    assert squared_distances(rows, empty, empty, 2).shape == (0,)
    assert rows.slices == []
