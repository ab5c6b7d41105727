"""What shuffled graphs share, held to all orders there are, and to many where they are too many."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from atlas.projection.shuffling import cliques_of, edges_of, shuffled


def directed(count, k, seed):
    """Return random neighbours, some of which are hubs: shape (count, k)."""
    generator = np.random.default_rng(seed)
    weights = generator.random(count) ** 2
    keys = generator.random((count, count)) * weights
    np.fill_diagonal(keys, -1)
    return np.argsort(-keys, axis=1)[:, :k]


def adjacency(indices):
    matrix = np.zeros((len(indices),) * 2)
    np.put_along_axis(matrix, indices, 1, axis=1)
    return matrix


def shared(one, other, orders):
    return np.array([(one * other[np.ix_(order, order)]).sum() for order in orders])


@pytest.mark.parametrize(("count", "k"), [(2, 1), (3, 1), (3, 2), (4, 2), (6, 2), (6, 3)])
def test_mean_and_spread_are_those_of_all_orders(count, k):
    one, other = (directed(count, k, seed) for seed in (0, 1))
    orders = [list(order) for order in permutations(range(count))]
    found = shuffled(edges_of(one), edges_of(other))
    values = shared(adjacency(one), adjacency(other), orders)
    assert found.mean == pytest.approx(values.mean())
    assert found.spread == pytest.approx(values.std(), abs=1e-6)


def test_classes_are_graphs_too():
    labels = np.array([0, 0, 0, 1, 1, 2])
    same = (labels[:, None] == labels) & ~np.eye(6, dtype=bool)
    orders = [list(order) for order in permutations(range(6))]
    graph = directed(6, 2, 0)
    found = shuffled(edges_of(graph), cliques_of(np.bincount(labels).astype(float)))
    values = shared(adjacency(graph), same.astype(float), orders)
    assert found.mean == pytest.approx(values.mean())
    assert found.spread == pytest.approx(values.std())


def test_the_spread_of_larger_graphs_is_that_of_many_orders():
    one, other = (directed(60, 5, seed) for seed in (0, 1))
    generator = np.random.default_rng(2)
    orders = [generator.permutation(60) for _ in range(3000)]
    found = shuffled(edges_of(one), edges_of(other))
    values = shared(adjacency(one), adjacency(other), orders)
    assert found.mean == pytest.approx(values.mean(), abs=4 * found.spread / 3000**0.5)
    assert found.spread == pytest.approx(values.std(), rel=0.05)
