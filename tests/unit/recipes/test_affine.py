"""Weights from squared distances, against least squares on the vectors themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from atlas.recipes import affine
from made_up_merges import squared_distances


def parts(seed: int, members: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    models = np.random.default_rng(seed).normal(size=(members + 1, 60))
    squares = squared_distances(models)
    return models, squares[1:, 1:], squares[0, 1:]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_weights_are_those_of_least_squares(seed: int, members: int) -> None:
    models, between, to_target = parts(seed, members)
    others = models[1:-1] - models[-1]
    plain, *_ = np.linalg.lstsq(others.T, models[0] - models[-1], rcond=None)
    weights = affine.system(between, to_target).weights
    np.testing.assert_allclose(weights[:-1], plain, atol=1e-7)
    assert weights.sum() == pytest.approx(1)
    left = models[0] - weights @ models[1:]
    assert affine.residual_squares(weights, between, to_target) == pytest.approx(left @ left)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 5))
def test_convex_weights_are_as_good_as_plain_ones(seed: int, members: int) -> None:
    models, between, to_target = parts(seed, members)
    heavy = 1e4
    columns = np.vstack([models[1:].T, np.full(members, heavy)])
    plain, _ = nnls(columns, np.append(models[0], heavy))
    weights = affine.convex(between, to_target).weights
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    best = affine.residual_squares(plain / plain.sum(), between, to_target)
    assert affine.residual_squares(weights, between, to_target) <= best * 1.05


def test_equal_members_share_their_weight() -> None:
    models, _, _ = parts(1, 2)
    models = np.vstack([models, models[2:]])
    squares = squared_distances(models)
    weights = affine.system(squares[1:, 1:], squares[0, 1:]).weights
    assert weights[1] == pytest.approx(weights[2], abs=1e-4)
    assert np.isfinite(weights).all()


def test_what_is_not_kept_has_no_weight() -> None:
    _, between, to_target = parts(2, 3)
    kept = np.array([True, False, True])
    weights = affine.system(between, to_target, kept).weights
    own = affine.system(between[np.ix_(kept, kept)], to_target[kept]).weights
    assert weights[1] == 0
    np.testing.assert_allclose(weights[kept], own, atol=1e-9)


def test_errors_are_those_that_noise_makes() -> None:
    random = np.random.default_rng(3)
    models = random.normal(size=(3, 400))
    noise = 0.05
    found = []
    for _ in range(300):
        target = 0.5 * models[0] + 0.3 * models[1] + 0.2 * models[2]
        target = target + noise * random.normal(size=400)
        squares = squared_distances(np.vstack([target, models]))
        solved = affine.system(squares[1:, 1:], squares[0, 1:])
        found.append(solved.weights)
    told = np.sqrt(np.diagonal(solved.spread) * noise**2)
    np.testing.assert_allclose(np.std(found, axis=0), told, rtol=0.15)
