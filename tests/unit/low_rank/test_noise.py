"""The bound of what rounding makes, held against rounding itself."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from adapters import KINDS
from atlas.low_rank import noise


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", [(3, 5), (70, 40)])
def test_variances_are_those_of_the_spacing(dtype, shape, monkeypatch):
    monkeypatch.setattr(noise, "ROWS_BYTES", 1000)  # several rows at a time
    stored = np.random.default_rng(0).standard_normal(shape).astype(KINDS[dtype])
    stored[0, 0] = 0
    with np.errstate(under="ignore"):
        expected = np.spacing(np.abs(stored)).astype(float) ** 2 / 12
    found = noise.of_rounding(stored.astype(np.float32), dtype)
    np.testing.assert_allclose(found.rows, expected.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.columns, expected.sum(axis=0), rtol=1e-12)
    assert found.energy == pytest.approx(expected.sum())


def test_where_all_are_alike_it_is_the_known_bound():
    found = noise.of_rounding(np.full((30, 70), 0.6, np.float32), "f16")
    sigma = 2.0**-11 / sqrt(12)
    assert found.threshold == pytest.approx((1.1 + 0.5 / 30) * sigma * (sqrt(30) + sqrt(70)))


def test_independent_errors_add_up():
    matrix = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    one, other = (noise.of_rounding(matrix, dtype) for dtype in ("f16", "bf16"))
    assert (one + other).energy == pytest.approx(one.energy + other.energy)
    assert (one + other).threshold > max(one.threshold, other.threshold)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("shape", [(16, 16), (16, 64), (40, 40)])
@pytest.mark.parametrize("uneven", [False, True])
def test_pure_rounding_keeps_below_it(dtype, shape, uneven):
    """In 1,000 draws; evenly spaced elements come nearest to it."""
    generator = np.random.default_rng(0)
    beyond, energies = 0, []
    for _ in range(1000):
        exact = generator.uniform(0.5, 1, shape)
        if uneven:
            exact *= np.exp2(generator.integers(-4, 1, shape[1]))
        stored = exact.astype(KINDS[dtype])
        left = stored.astype(float) - exact
        found = noise.of_rounding(stored.astype(np.float32), dtype)
        beyond += np.linalg.norm(left, 2) > found.threshold
        energies.append(np.square(left).sum() / found.energy)
    assert beyond == 0
    assert np.mean(energies) == pytest.approx(1, abs=0.02)


def test_a_bound_by_the_mean_would_count_one_of_uneven_noise():
    """Of one column of large weights in small ones: why rows and columns are bounded apart."""
    generator = np.random.default_rng(0)
    exact = generator.uniform(0.5, 1, (64, 64)) * np.where(np.arange(64) == 0, 64, 1)
    stored = exact.astype(np.float16)
    largest = np.linalg.norm(stored.astype(float) - exact, 2)
    found = noise.of_rounding(stored.astype(np.float32), "f16")
    by_mean = 1.1 * sqrt(found.energy / 64**2) * 2 * sqrt(64)
    assert by_mean < largest < found.threshold
