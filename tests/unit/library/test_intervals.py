"""Bounds of distances by sketch hold the truth at least 95 times in 100."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from atlas.fingerprints.elements.projection import SUMS, Projection, seed_of
from atlas.library import intervals
from atlas.library.intervals import DEVIATIONS, Estimate, estimate, rounding

SIDE = 64
"""Of a block's matrix: 4,096 elements."""
BLOCKS = 4
TRIES = 200


def projected(values: np.ndarray, name: str) -> np.ndarray:
    """Return the sums of one block, before they are rounded."""
    projection = Projection(seed_of(name))
    projection.add(values.reshape(-1).astype(np.float64))
    return projection.sums


def noise(generator: np.random.Generator) -> np.ndarray:
    return generator.standard_normal((BLOCKS, SIDE, SIDE))


def low_rank(generator: np.random.Generator) -> np.ndarray:
    up, down = generator.standard_normal((2, BLOCKS, SIDE, 4))
    return np.einsum("bir,bjr->bij", up, down)


def one_block(generator: np.random.Generator) -> np.ndarray:
    made = np.zeros((BLOCKS, SIDE, SIDE))
    made[generator.integers(BLOCKS)] = generator.standard_normal((SIDE, SIDE))
    return made


def per_channel(generator: np.random.Generator) -> np.ndarray:
    channels = generator.lognormal(0, 2, (BLOCKS, 1, SIDE))
    return generator.standard_normal((BLOCKS, SIDE, SIDE)) * channels


def few_elements(generator: np.random.Generator) -> np.ndarray:
    made = np.zeros(BLOCKS * SIDE * SIDE)
    places = generator.choice(made.size, 20, replace=False)
    made[places] = generator.standard_normal(20)
    return made.reshape(BLOCKS, SIDE, SIDE)


def uneven_blocks(generator: np.random.Generator) -> np.ndarray:
    return noise(generator) * np.array([30, 1, 0.1, 3])[:, None, None]


KINDS = [noise, low_rank, one_block, per_channel, few_elements, uneven_blocks]


def estimated(weights: np.ndarray, change: np.ndarray, name: str) -> tuple[Estimate, float]:
    """Return the estimate from sketches in float32, as files hold them, and the true distance."""
    other = (weights + change).astype(np.float32)
    held = weights.astype(np.float32)
    one, two = (
        np.stack([projected(each[block], f"{name}{block}") for block in range(BLOCKS)]).astype(
            np.float32
        )
        for each in (held, other)
    )
    difference = one.astype(np.float64) - two.astype(np.float64)
    found = estimate((difference**2).sum(axis=1), rounding(one) + rounding(two))
    return found, float(np.linalg.norm(other.astype(np.float64) - held.astype(np.float64)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("size", [0.5, 0.002], ids=["far", "0.2 % fine-tune"])
def test_bounds_hold_the_truth(kind, size):
    generator = np.random.default_rng(0)
    held = 0
    for number in range(TRIES):
        weights = noise(generator)
        change = kind(generator)
        change *= size * np.linalg.norm(weights) / np.linalg.norm(change)
        found, truth = estimated(weights, change, f"unet/{number}.")
        held += found.low <= truth <= found.high
        assert found.low <= found.l2 <= found.high
    assert held / TRIES >= 0.95


@pytest.mark.parametrize("exponent", range(-9, -4))
def test_bounds_hold_where_float32_blurs_the_sums(exponent):
    generator = np.random.default_rng(1)
    held = 0
    for number in range(TRIES):
        weights, change = noise(generator), noise(generator) * 10.0**exponent
        found, truth = estimated(weights, change, f"unet/{number}.")
        held += found.low <= truth <= found.high
    assert held / TRIES >= 0.95


def test_the_error_is_that_of_chi_squared():
    """Of one block of 256 sums: 1.96 standard errors of 4.4 %, times √1.5, are 10.6 %."""
    found = estimate(np.array([1.0]), np.zeros(1))
    degrees = SUMS / intervals.EXCESS
    bounds = np.sqrt(degrees / chi2.ppf([0.975, 0.025], degrees))
    assert [found.low, found.high] == pytest.approx(bounds, rel=1e-4)
    assert found.error == pytest.approx(0.107, abs=0.002)


def test_equal_blocks_together_are_told_more_exactly():
    one, many = estimate(np.ones(1), np.zeros(1)), estimate(np.ones(25), np.zeros(25))
    assert many.error == pytest.approx(one.error / 5, rel=0.02)


def test_a_block_that_outweighs_the_others_decides_the_error():
    lone = estimate(np.array([1.0]), np.zeros(1))
    among = estimate(np.array([1.0, *[1e-4] * 24]), np.zeros(25))
    assert among.error == pytest.approx(lone.error, rel=0.02)


def test_no_difference_is_bounded_by_rounding():
    found = estimate(np.zeros(3), np.full(3, 1e-12))
    assert (found.l2, found.low) == (0, 0)
    assert 0 < found.high < 1e-5
    assert estimate(np.zeros(3), np.zeros(3)) == Estimate(0, 0, 0)


@pytest.mark.parametrize("degrees", [204.8, 1000, 1e6])
def test_quantiles_are_those_of_chi_squared(degrees):
    for deviations, share in ((DEVIATIONS, 0.975), (-DEVIATIONS, 0.025)):
        exact = chi2.ppf(share, degrees) / degrees
        assert intervals._quantile(degrees, deviations) == pytest.approx(exact, rel=1e-4)
