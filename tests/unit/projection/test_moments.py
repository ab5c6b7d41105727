"""Means and spreads of features, where float32 alone would lose them."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.projection.moments import Standard, moments_of
from watched_rows import WatchedRows, peak_of

MEMORY = 1 << 20


@pytest.mark.parametrize(
    ("dtype", "offset"),
    [(np.float16, 0), (np.float16, 1e4), (np.float32, 0), (np.float32, 1e4), (np.float32, -1e6)],
)
def test_moments_are_those_of_float64(dtype, offset):
    values = np.random.default_rng(0).normal(size=(700, 30)) * np.logspace(-1, 1, 30) + offset
    rows = values.astype(dtype)
    exact = rows.astype(np.float64)
    moments = moments_of(rows, memory_bytes=20_000)
    off = np.abs(moments.mean - exact.mean(axis=0))
    assert (off <= 1e-7 * exact.std(axis=0)).all()
    assert np.allclose(moments.variance, exact.var(axis=0), rtol=1e-6, atol=0)


def test_a_constant_feature_has_no_variance_and_the_scale_one():
    rows = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    rows[:, 1] = 0.1
    moments = moments_of(rows, memory_bytes=MEMORY)
    assert moments.variance[1] == 0
    assert moments.scale[1] == 1
    assert Standard.of(moments, standardise=True).block(rows, slice(0, 9))[:, 1].tolist() == [0] * 9


def test_standardised_blocks_have_mean_0_and_spread_1_for_all_offsets():
    rows = np.random.default_rng(0).normal([0, 1e2, 1e4, 1e5], size=(500, 4)).astype(np.float32)
    standard = Standard.of(moments_of(rows, memory_bytes=MEMORY), standardise=True)
    whole = np.concatenate([block for _, block in standard.blocks(rows, 64)]).astype(np.float64)
    assert np.abs(whole.mean(axis=0)).max() < 1e-6
    assert np.allclose(whole.std(axis=0), 1, rtol=1e-6)


def test_memory_is_bounded():
    rows = WatchedRows(np.random.default_rng(0).normal(size=(400, 5000)).astype(np.float16))
    _, peak = peak_of(lambda: moments_of(rows, memory_bytes=2 * MEMORY))
    assert peak < 2 * MEMORY + 100_000
    assert rows.passes == 1
    assert 1 < rows.most_at_once < 40


def test_values_whose_differences_overflow_are_refused():
    rows = np.array([[3e38], [-3e38]], np.float32)
    with pytest.raises(AtlasError, match="scale them down"):
        moments_of(rows, memory_bytes=MEMORY)
