"""Maps by UMAP: the seed counts, few samples are drawn too, and maps of the same samples agree."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.projection.maps import aligned, drawn, fit_of, turned
from atlas.projection.neighbours import nearest
from atlas.projection.quality import quality
from atlas.projection.trust import trustworthiness

MEMORY = 1 << 22


@pytest.fixture(scope="module")
def rows():
    """Six classes of 120 samples that lie in eight dimensions."""
    generator = np.random.default_rng(0)
    labels = np.arange(120) % 6
    values = generator.normal(size=(6, 8))[labels] * 4 + generator.normal(size=(120, 8))
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def points(rows):
    return drawn(rows, seed=0)


def test_equal_seeds_give_equal_bytes_and_others_do_not(rows, points):
    assert points.shape == (120, 2)
    assert points.dtype == np.float32
    other = drawn(rows, seed=1)
    assert drawn(rows, seed=0).tobytes() == points.tobytes() != other.tobytes()


def test_the_global_state_of_numpy_is_no_part_of_it(rows, points):
    state = np.random.get_state()
    np.random.seed(5)
    try:
        assert drawn(rows, seed=0).tobytes() == points.tobytes()
    finally:
        np.random.set_state(state)


def test_the_map_keeps_neighbours(rows, points):
    found = trustworthiness(rows, points, neighbours=10, memory_bytes=MEMORY, seed=0)
    assert found.value > 0.9 > found.chance


def test_settings_reach_umap(rows, points):
    for setting in ({"neighbours": 5}, {"min_dist": 0.9}, {"metric": "cosine"}):
        assert drawn(rows, seed=0, **setting).tobytes() != points.tobytes()


def test_parallel_passes_threads_and_no_seed(rows, monkeypatch):
    passed = {}
    fake(monkeypatch, "umap", passed)
    drawn(rows, seed=3, parallel=True)
    assert "random_state" not in passed
    assert passed["n_jobs"] >= 1
    drawn(rows, seed=3)
    assert (passed["random_state"], passed["n_jobs"]) == (3, 1)


def fake(monkeypatch, name, passed):
    """Put a module of this name in the place of the package, that notes what it is given."""

    class Noting:
        def __init__(self, **settings):
            passed.clear()
            passed.update(settings)

        def fit_transform(self, scores):
            return scores[:, :2]

    package = ModuleType(name)
    package.UMAP = Noting
    monkeypatch.setitem(sys.modules, name, package)


def test_cuml_is_used_when_asked_for(rows, monkeypatch):
    passed = {}
    fake(monkeypatch, "cuml", {})
    fake(monkeypatch, "cuml.manifold", passed)
    found = drawn(rows, seed=4, neighbours=7, min_dist=0.3, backend="cuml")
    assert np.array_equal(found, rows[:, :2])
    expected = {"n_neighbors": 7, "min_dist": 0.3, "metric": "euclidean", "random_state": 4}
    assert passed == expected | {"n_components": 2}


def test_cuml_that_is_not_there_is_told(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "cuml", None)
    with pytest.raises(AtlasError, match=r"backend cuml: .* or set the backend to umap-learn"):
        drawn(rows, seed=0, backend="cuml")


def test_another_backend_is_answered_with_the_right_ones(rows):
    with pytest.raises(
        AtlasError, match=r"did you mean umap-learn.*; there are umap-learn and cuml"
    ):
        drawn(rows, seed=0, backend="umap_learn")


@pytest.mark.parametrize("count", [5, 9, 15, 16])
def test_few_samples_have_fewer_neighbours(rows, count, caplog):
    found = drawn(rows[:count], seed=0)
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()
    fit = fit_of(rows[:count])
    assert fit.neighbours == min(15, count - 1)
    assert fit.note in caplog.text
    assert bool(fit.note) == (count < 16)


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_samples_are_drawn_by_their_components(rows, count, caplog):
    assert np.array_equal(drawn(rows[:count], seed=0), rows[:count, :2])
    assert fit_of(rows[:count]).note in caplog.text
    assert "too few for UMAP: the map shows the first two components" in caplog.text


def test_equal_samples_are_drawn_by_their_components(caplog):
    assert np.array_equal(drawn(np.full((30, 1), 2, np.float32), seed=0), [[2, 0]] * 30)
    assert "all 30 samples are equal" in caplog.text


def test_twins_are_drawn(rows):
    assert np.isfinite(drawn(np.repeat(rows[:2], 30, axis=0), seed=0)).all()


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (np.zeros((0, 3)), "at least one"),
        (np.zeros((3, 0)), "at least one"),
        (np.float32([[1, 2], [np.nan, 0], [np.inf, 1]]), "2 of 3 samples have scores that are not"),
    ],
)
def test_what_has_no_map_is_refused(scores, told):
    with pytest.raises(AtlasError, match=told):
        drawn(scores, seed=0)


def test_turning_finds_the_turn():
    generator = np.random.default_rng(0)
    points = generator.normal(size=(50, 2)).astype(np.float32)
    turn = np.linalg.qr(generator.normal(size=(2, 2)))[0]
    for matrix in (turn, turn * [1, -1]):
        back = turned((points @ matrix + 9).astype(np.float32), points)
        assert np.allclose(back, points, atol=1e-5)
    larger = turned(3 * points, points)
    assert np.allclose(larger - larger.mean(axis=0), 3 * (points - points.mean(axis=0)), atol=1e-5)


@pytest.fixture(scope="module")
def slices(rows):
    generator = np.random.default_rng(3)
    turn = np.linalg.qr(generator.normal(size=(8, 8)))[0].astype(np.float32)
    noise = generator.normal(size=rows.shape).astype(np.float32)
    return [rows, rows @ turn + 0.5 * noise, rows @ turn.T + noise]


def test_aligned_maps_repeat_themselves_and_lie_on_one_another(slices):
    maps, again = (aligned(slices, seed=0) for _ in range(2))
    assert [one.tobytes() for one in maps] == [one.tobytes() for one in again]
    assert maps[0].tobytes() == drawn(slices[0], seed=0).tobytes()

    def step(some):
        return np.mean([np.linalg.norm(a - b, axis=1).mean() for a, b in pairwise(some)])

    alone = [drawn(scores, seed=0) for scores in slices]
    assert step(maps) < 0.6 * step(alone)
    for scores, one, free in zip(slices, maps, alone, strict=True):
        kept, best = (
            trustworthiness(scores, points, neighbours=10, memory_bytes=MEMORY, seed=0).value
            for points in (one, free)
        )
        assert kept > best - 0.03


def test_a_slice_of_equal_samples_is_no_start_for_the_next(slices, caplog):
    maps = aligned([np.zeros((120, 3), np.float32), slices[0]], seed=0)
    assert not maps[0].any()
    assert np.ptp(maps[1], axis=0).all()
    assert "slice 1: all 120 samples are equal" in caplog.text


def test_slices_of_other_samples_are_refused(rows):
    with pytest.raises(AtlasError, match="there are 120, 100"):
        aligned([rows, rows[:100]], seed=0)


def test_no_slices_have_no_maps():
    assert aligned([], seed=0) == []


def test_quality_has_a_line_of_each(rows, points):
    labels = [f"class {sample % 6}" for sample in range(120)]
    lines = quality(
        rows,
        rows,
        points,
        nearest(rows, k=10, memory_bytes=MEMORY),
        labels={"class": labels},
        numbers={"height": rows[:, 0].tolist()},
        seed=0,
        memory_bytes=MEMORY,
    )
    values = {(line.measure, line.of): line for line in lines}
    assert len(values) == len(lines) == 1 + 1 + 2 + 2 * 5 + 1
    assert values["trustworthiness", "map"].value > 0.9
    for space in ("activations", "map"):
        assert values["purity", f"{space}: class"].value > 0.8
    assert values["pearson", "PC1: height"].value == pytest.approx(1)
    assert 0.3 < values["stability", "map"].value < 1
    assert values["kept", "map"].value > values["kept", "map"].chance + 0.3
