"""Points turned onto others: rotations vanish, real moves stay, chance is what it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from atlas.embeddings.procrustes import aligned, left_by_chance


def points(seed: int, count: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def turn(seed: int, width: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))[0]


@pytest.mark.parametrize(("count", "width"), [(30, 8), (30, 100), (30, 30)])
def test_a_turned_and_shifted_space_comes_back(count, width):
    base = points(0, count, width)
    moved = (base @ turn(1, width) + 5).astype(np.float32)
    found = aligned(moved, base)
    np.testing.assert_allclose(found.points, base, atol=3e-5)
    assert found.left < 3e-5


@pytest.mark.parametrize(("count", "width"), [(40, 8), (12, 50)])
def test_it_is_the_orthogonal_procrustes_solution(count, width):
    base, other = points(0, count, width), points(2, count, width)
    own = other.astype(np.float64) - other.mean(axis=0, dtype=np.float64)
    onto = base.astype(np.float64) - base.mean(axis=0, dtype=np.float64)
    rotation, _ = orthogonal_procrustes(own, onto)
    expected = np.sqrt((((own @ rotation) - onto) ** 2).sum(axis=1).mean())
    assert aligned(other, base).left == pytest.approx(expected, rel=1e-9)


def test_equal_points_are_left_as_they_are():
    base = points(0, 10, 4)
    found = aligned(base.copy(), base)
    assert (found.points == base).all()
    assert found.left == 0


@pytest.mark.parametrize(("count", "width"), [(60, 20), (60, 200), (25, 25)])
def test_chance_is_what_random_moves_are_left_with(count, width):
    base = points(0, count, width)
    shares = []
    for seed in range(8):
        move = 1e-3 * points(10 + seed, count, width)
        found = aligned(base + move, base)
        shares.append(found.left / np.sqrt((move.astype(np.float64) ** 2).sum(axis=1).mean()))
    assert np.sqrt(np.mean(np.square(shares))) == pytest.approx(left_by_chance(base), rel=0.03)


def test_repeated_points_count_once_for_chance():
    base = points(0, 30, 12)
    assert left_by_chance(np.vstack([base, base])) == left_by_chance(base)
