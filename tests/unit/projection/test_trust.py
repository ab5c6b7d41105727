"""Trustworthiness is scikit-learn's, on all samples or on a choice of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as plain

from atlas.basis.errors import AtlasError
from atlas.projection.trust import trustworthiness
from watched_rows import peak_of

MEMORY = 1 << 24
ROWS = np.random.default_rng(0).normal(size=(200, 30)).astype(np.float32)
ROWS[:, :2] *= 4


@pytest.mark.parametrize("k", [1, 5, 15, 99])
@pytest.mark.parametrize("offset", [0, 1000])
def test_it_is_scikit_learns(k, offset):
    rows = ROWS + np.float32(offset)
    found = trustworthiness(rows, ROWS[:, :2], neighbours=k, memory_bytes=MEMORY, seed=0)
    expected = plain(rows.astype(np.float64), ROWS[:, :2].astype(np.float64), n_neighbors=k)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert (found.neighbours, found.samples) == (k, 200)


def test_a_map_that_keeps_all_is_trusted_and_an_unrelated_one_is_at_chance():
    flat = ROWS[:, :2]
    kept = trustworthiness(flat, flat, neighbours=9, memory_bytes=MEMORY, seed=0)
    assert kept.value == 1
    values = [
        trustworthiness(
            ROWS,
            np.random.default_rng(seed).normal(size=(200, 2)),
            neighbours=9,
            memory_bytes=MEMORY,
            seed=0,
        ).value
        for seed in range(20)
    ]
    assert np.mean(values) == pytest.approx(kept.chance, abs=0.01)


def test_of_more_samples_a_seeded_choice_is_ranked():
    options = {"neighbours": 9, "memory_bytes": MEMORY, "most": 120}
    found, again, other = (
        trustworthiness(ROWS, ROWS[:, :2], seed=seed, **options) for seed in (1, 1, 2)
    )
    assert found == again != other
    chosen = np.sort(np.random.default_rng(1).choice(200, 120, replace=False))
    expected = plain(ROWS[chosen].astype(np.float64), ROWS[chosen, :2], n_neighbors=9)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.samples == 120


def test_neighbours_are_clipped_below_half_of_the_samples():
    found = trustworthiness(ROWS[:8], ROWS[:8, :2], neighbours=15, memory_bytes=MEMORY, seed=0)
    assert found.neighbours == 3
    assert 0 <= found.value <= 1


def test_two_samples_have_no_trustworthiness():
    found = trustworthiness(ROWS[:2], ROWS[:2, :2], neighbours=5, memory_bytes=MEMORY, seed=0)
    assert np.isnan(found.value)


def test_memory_is_bounded():
    rows = np.random.default_rng(0).normal(size=(300, 5000)).astype(np.float16)
    setting = 2 << 20
    found, peak = peak_of(
        lambda: trustworthiness(
            rows, ROWS[[0] * 300, :2], neighbours=9, memory_bytes=setting, seed=0
        )
    )
    assert peak < setting + 200_000
    assert found.samples == int((setting / 2 / 40) ** 0.5) == 161


def test_a_map_of_other_samples_is_refused():
    with pytest.raises(AtlasError, match="200 samples, but a map of 5"):
        trustworthiness(ROWS, ROWS[:5, :2], neighbours=5, memory_bytes=MEMORY, seed=0)
