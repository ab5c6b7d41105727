"""Classical scaling finds the points behind Euclidean distances; the spanning tree is minimal."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree

from atlas.relations.scaling import classical_scaling, spanning_tree, with_fixed_signs


def distances_between(points):
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@settings(deadline=None)
@given(st.integers(2, 20), st.integers(0, 10**6), st.sampled_from([1e-8, 1.0, 1e6]))
def test_points_of_a_plane_come_back_with_their_distances(size, seed, unit):
    distances = distances_between(np.random.default_rng(seed).normal(size=(size, 2)) * unit)
    scaling = classical_scaling(distances)
    assert np.allclose(distances_between(scaling.points), distances, atol=1e-6 * unit)
    assert sum(scaling.explained) == pytest.approx(1.0)
    assert scaling.negative == pytest.approx(0.0, abs=1e-9)


def test_the_shepard_correlation_of_a_plane_is_one():
    points = np.random.default_rng(0).normal(size=(10, 2))
    assert classical_scaling(distances_between(points)).shepard == pytest.approx(1.0)


def test_explained_shares_are_those_of_the_variance():
    points = np.random.default_rng(0).normal(size=(400, 3)) * [3.0, 2.0, 1.0]
    scaling = classical_scaling(distances_between(points))
    variances = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    assert scaling.explained == pytest.approx(tuple(variances[:2] / variances.sum()))


def test_distances_that_no_space_holds_have_negative_eigenvalues():
    square = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0.0]])  # round a ring
    assert classical_scaling(square**0.5).negative == pytest.approx(0.0, abs=1e-9)
    assert classical_scaling(square).negative > 0.1


def test_shares_are_of_the_positive_eigenvalues():
    """Four models round a ring: -½ J D² J has the eigenvalues 2, 2, 0 and -1."""
    ring = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0.0]])
    scaling = classical_scaling(ring)
    assert scaling.explained == pytest.approx((0.5, 0.5))
    assert scaling.negative == pytest.approx(0.25)


def test_the_shepard_correlation_is_of_the_distances_as_they_are():
    """Corners of a box: the shortest side is the one that two axes leave out."""
    corners = np.array([[x, y, z] for x in (0, 3) for y in (0, 2) for z in (0, 1)], dtype=float)
    upper = np.triu_indices(8, k=1)
    given, flat = (distances_between(points)[upper] for points in (corners, corners[:, :2]))
    expected = np.corrcoef(given, flat)[0, 1]
    assert expected < 0.99
    assert classical_scaling(distances_between(corners)).shepard == pytest.approx(expected)


def test_the_largest_coordinate_of_an_axis_is_positive():
    points = np.array([[-3.0, 1.0, 1.0], [2.0, -2.0, -1.0 - 1e-14], [1.0, 1.0, 1e-14]])
    turned = points * [-1, -1, 1]  # of coordinates that only rounding tells apart, the first one
    assert np.array_equal(with_fixed_signs(points), turned)
    assert np.array_equal(with_fixed_signs(-points), turned)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_a_merge_lies_between_its_parents(seed, ratio):
    points = np.random.default_rng(seed).normal(size=(6, 40))
    points[5] = ratio * points[0] + (1 - ratio) * points[1]
    scaled = classical_scaling(distances_between(points)).points
    assert scaled[5] == pytest.approx(ratio * scaled[0] + (1 - ratio) * scaled[1], abs=1e-6)


def test_orientation_does_not_depend_on_the_order_of_the_models():
    points = np.random.default_rng(3).normal(size=(8, 5))
    turn = np.random.default_rng(4).permutation(8)
    one = classical_scaling(distances_between(points)).points
    other = classical_scaling(distances_between(points[turn])).points
    assert other == pytest.approx(one[turn], abs=1e-9)


def test_two_models_lie_on_one_axis():
    scaling = classical_scaling(np.array([[0.0, 3.0], [3.0, 0.0]]))
    assert abs(scaling.points[0, 0] - scaling.points[1, 0]) == pytest.approx(3.0)
    assert scaling.explained == (1.0, 0.0)
    assert np.isnan(scaling.shepard)


def test_equal_models_scale_to_one_point():
    scaling = classical_scaling(np.zeros((3, 3)))
    assert not scaling.points.any()
    assert scaling.explained == (0.0, 0.0)


@settings(deadline=None)
@given(st.integers(2, 15), st.integers(0, 10**6))
def test_the_spanning_tree_is_as_short_as_scipys(size, seed):
    distances = distances_between(np.random.default_rng(seed).normal(size=(size, 3)))
    edges = spanning_tree(distances)
    length = sum(distances[a, b] for a, b in edges)
    assert length == pytest.approx(minimum_spanning_tree(distances).sum())
    assert sorted(child for _, child in edges) == list(range(1, size))


def test_the_spanning_tree_of_a_line_follows_it():
    distances = distances_between(np.arange(5.0)[:, None])
    assert spanning_tree(distances) == list(pairwise(range(5)))
