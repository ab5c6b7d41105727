"""Principal components are scikit-learn's, by each of the routes, in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from atlas.basis.errors import AtlasError
from atlas.projection import components
from atlas.projection.components import reduced
from watched_rows import WatchedRows, peak_of

MEMORY = 1 << 24


def spread_out(samples, features, rank=12, offset=3.0, dtype=np.float32):
    """Rows of a spectrum that falls by a factor of 1.5 a component, and a little noise."""
    generator = np.random.default_rng(0)
    axes = generator.normal(size=(rank, features)) * 1.5 ** -np.arange(rank)[:, None]
    rows = generator.normal(size=(samples, rank)) @ axes
    rows += 0.01 * generator.normal(size=rows.shape) + offset
    return rows.astype(dtype)


def plain(rows, count, standardise=True):
    """Return scikit-learn's scores and shares in float64."""
    whole = rows.reshape(len(rows), -1).astype(np.float64)
    whole = StandardScaler(with_std=standardise).fit_transform(whole)
    fitted = PCA(count, svd_solver="full").fit(whole)
    return fitted.transform(whole), fitted.explained_variance_ratio_


def differences(found, scores):
    """Largest difference of scores of each component, whatever its sign, beside its spread."""
    signs = np.sign((found * scores).sum(axis=0))
    return np.abs(found * signs - scores).max(axis=0) / scores.std(axis=0)


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize(
    ("samples", "features", "route"), [(300, 40, "covariance"), (60, 500, "gram")]
)
def test_exact_routes_give_scikit_learns_components(samples, features, route, standardise):
    rows = spread_out(samples, features)
    found = reduced(rows, components=8, memory_bytes=MEMORY, seed=0, standardise=standardise)
    scores, shares = plain(rows, 8, standardise)
    assert found.route == route
    assert found.scores.dtype == np.float32
    assert np.allclose(found.explained, shares, rtol=1e-5)
    assert differences(found.scores, scores).max() < 1e-4


def test_the_sketch_gives_them_too(monkeypatch):
    monkeypatch.setattr(components, "EXACT", 0)
    monkeypatch.setattr(components, "SPARE", 8)
    rows = spread_out(300, 200)
    found = reduced(rows, components=8, memory_bytes=MEMORY, seed=0)
    scores, shares = plain(rows, 8)
    assert found.route == "sketch"
    assert np.allclose(found.explained, shares, rtol=1e-4)
    assert differences(found.scores, scores).max() < 1e-3


def test_the_sketch_repeats_itself_and_another_seed_changes_little(monkeypatch):
    monkeypatch.setattr(components, "EXACT", 0)
    rows = spread_out(200, 300)
    first, again, other = (
        reduced(rows, components=5, memory_bytes=MEMORY, seed=seed).scores for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    assert differences(first, other).max() < 1e-3


@pytest.mark.parametrize("kind", ["covariance", "gram", "sketch"])
def test_a_large_common_offset_costs_no_digits(kind, monkeypatch):
    if kind == "sketch":
        monkeypatch.setattr(components, "EXACT", 0)
    shape = (60, 300) if kind == "gram" else (300, 60)
    rows = spread_out(*shape, offset=1e4)
    found = reduced(rows, components=4, memory_bytes=MEMORY, seed=0)
    scores, _ = plain(rows, 4)
    assert found.route == kind
    assert differences(found.scores, scores).max() < 1e-3


def test_constant_features_count_for_nothing():
    rows = spread_out(100, 10)
    wider = np.concatenate([rows, np.full((100, 5), 7, np.float32)], axis=1)
    narrow, wide = (reduced(x, components=4, memory_bytes=MEMORY, seed=0) for x in (rows, wider))
    assert np.allclose(narrow.scores, wide.scores, atol=1e-4)
    assert np.allclose(narrow.explained, wide.explained)
    assert wide.scale[10:].tolist() == [1] * 5


def test_maps_in_float16_are_flattened():
    rows = spread_out(50, 24, dtype=np.float16).reshape(50, 6, 2, 2)
    found = reduced(rows, components=3, memory_bytes=MEMORY, seed=0)
    assert differences(found.scores, plain(rows, 3)[0]).max() < 1e-4
    assert found.mean.shape == found.scale.shape == (24,)


@pytest.mark.parametrize(
    ("shape", "kept"), [((5, 3), 3), ((4, 9), 3), ((2, 9), 1), ((1, 9), 1), ((9, 1), 1)]
)
def test_no_more_components_than_there_are(shape, kept):
    found = reduced(spread_out(*shape), memory_bytes=MEMORY, seed=0)
    assert found.scores.shape == (shape[0], kept)
    assert np.isfinite(found.scores).all()
    assert found.explained.sum() == pytest.approx(1 if shape[0] > 1 else 0)


def test_equal_samples_have_scores_of_0():
    found = reduced(np.full((20, 6), 3, np.float32), memory_bytes=MEMORY, seed=0)
    assert not found.scores.any()
    assert not found.explained.any()


def test_the_largest_score_of_a_component_is_positive():
    scores = reduced(spread_out(80, 20), components=6, memory_bytes=MEMORY, seed=0).scores
    assert (scores.max(axis=0) >= -scores.min(axis=0) * (1 - components.SAME)).all()


@pytest.mark.parametrize("exact", [0, 10**6])
@pytest.mark.parametrize("shape", [(3000, 200), (200, 3000), (1200, 1100)])
def test_memory_is_bounded(shape, exact, monkeypatch):
    """Scores come on top: they are the result."""
    monkeypatch.setattr(components, "EXACT", exact)
    rows = WatchedRows(np.random.default_rng(0).normal(size=shape).astype(np.float16))
    setting = 4 << 20
    found, peak = peak_of(lambda: reduced(rows, components=16, memory_bytes=setting, seed=0))
    assert peak < setting + 4 * found.scores.nbytes + 1_000_000
    assert rows.most_at_once * shape[1] * 8 < setting
    # where (1100, 1100) covariances do not fit, the sketch steps in
    assert found.route == "sketch" or max(shape) == 3000


def test_few_wide_samples_need_no_room_for_directions():
    """Two sets of 24 directions would take 3.8 MB alone."""
    rows = spread_out(24, 20_000)
    found, peak = peak_of(lambda: reduced(rows, memory_bytes=2 << 20, seed=0))
    assert found.route == "gram"
    assert differences(found.scores[:, :8], plain(rows, 8)[0]).max() < 1e-3
    assert peak < (2 << 20) + 500_000


def test_a_nan_is_refused():
    rows = spread_out(20, 5)
    rows[3, 1] = np.nan
    with pytest.raises(AtlasError, match="mid: 1 of 20 samples"):
        reduced(rows, memory_bytes=MEMORY, seed=0, what="mid")


@pytest.mark.parametrize(
    ("options", "told"),
    [({"components": 0}, "ask for 1 or more"), ({"memory_bytes": 100}, "raise it")],
)
def test_what_can_not_be_is_refused(options, told):
    with pytest.raises(AtlasError, match=told):
        reduced(spread_out(20, 5), **{"memory_bytes": MEMORY, "seed": 0} | options)
