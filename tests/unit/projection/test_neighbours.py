"""The nearest are those of brute force in float64, on data made to deceive products."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atlas.basis.errors import AtlasError
from atlas.projection import neighbours
from atlas.projection.candidates import Frame, candidates
from atlas.projection.neighbours import nearest
from atlas.projection.products import Products
from watched_rows import WatchedRows, peak_of

MEMORY = 500_000


def brute(rows, k):
    """Return places and distances by differences in float64, ties by the lower place."""
    wide = rows.reshape(len(rows), -1).astype(np.float64)
    squared = np.array([((wide - row) ** 2).sum(axis=1) for row in wide])
    np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return order, np.sqrt(np.take_along_axis(squared, order, axis=1))


def clusters(inner, outer=1.0, each=30, features=50):
    generator = np.random.default_rng(1)
    centres = np.repeat(generator.normal(size=(10, features)), each, axis=0) * outer
    return centres + inner * generator.normal(size=centres.shape)


NORMAL = np.random.default_rng(0).normal(size=(300, 60))
HARD = {
    "plain": NORMAL.astype(np.float32),
    "large common offset": (NORMAL * 0.01 + 1e4).astype(np.float32),
    "one sample far away": np.vstack([NORMAL, np.full((1, 60), 1e6)]).astype(np.float32),
    "offset": (NORMAL + 1000).astype(np.float32),
    "float16": (np.tile(NORMAL, (1, 9)) + 100).astype(np.float16),
    "maps in float16": (NORMAL.reshape(300, 15, 2, 2) + 3).astype(np.float16),
    "every sample twice": np.tile(NORMAL[:150], (2, 1)).astype(np.float32),
    "few distinct samples": clusters(0.0).astype(np.float32),
    "tight clusters": clusters(1e-3).astype(np.float32),
    "clusters tighter than float32's products": clusters(1e-2, 1e3).astype(np.float32),
    "all equal": np.full((200, 5), 0.1, np.float32),
    "zero and minus zero": np.tile(np.float32([[0.0], [-0.0]]), (50, 3)),
    "huge": (NORMAL * 1e37).astype(np.float32),
    "tiny": (NORMAL * 1e-38).astype(np.float32),
    "one feature": NORMAL[:, :1].astype(np.float32),
    "steps of float16": np.float16(NORMAL[:, :2] + 1000),
}


@pytest.mark.parametrize("name", HARD)
def test_the_nearest_are_those_of_brute_force(name):
    rows = HARD[name]
    places, distances = brute(rows, 12)
    found = nearest(rows, k=12, memory_bytes=MEMORY)
    assert found.indices.dtype == np.int32
    assert found.distances.dtype == np.float32
    assert np.array_equal(found.indices, places)
    assert np.allclose(found.distances, distances, rtol=1e-6, atol=0)
    assert np.array_equal(found.distances == 0, distances == 0)


@settings(deadline=None, max_examples=60)
@given(
    arrays.arrays(
        np.int8,
        st.tuples(st.integers(2, 40), st.integers(1, 4)),
        elements=st.integers(-2, 2),
    ),
    st.integers(1, 39),
    st.sampled_from([0, 1000, 2**20]),
)
def test_ties_go_to_the_lower_place(steps, k, offset):
    """On a small grid nearly all distances are shared."""
    rows = steps.astype(np.float32) + np.float32(offset)
    k = min(k, len(rows) - 1)
    found = nearest(rows, k=k, memory_bytes=MEMORY)
    places, distances = brute(rows, k)
    assert np.array_equal(found.indices, places)
    assert np.array_equal(found.distances, distances.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("plain", 0),
        ("offset", 0),
        ("clusters tighter than float32's products", 1),
        ("few distinct samples", 2),
    ],
)
def test_later_steps_are_taken_where_the_data_needs_them(name, asked, monkeypatch):
    """None, float64, and differences of all: so that the test above holds each of them."""
    steps = []
    found, brute_force = neighbours.candidates, neighbours._brute

    def watched(*args, **options):
        steps.append("float64" if options.get("queries") is not None else "float32")
        return found(*args, **options)

    def watched_brute(rows, queries, *sizes):
        steps.extend(["differences"] * bool(len(queries)))
        return brute_force(rows, queries, *sizes)

    monkeypatch.setattr(neighbours, "candidates", watched)
    monkeypatch.setattr(neighbours, "_brute", watched_brute)
    nearest(HARD[name], k=12, memory_bytes=MEMORY)
    assert steps == ["float32", "float64", "differences"][: asked + 1]


@pytest.mark.parametrize("queries", [None, np.arange(0, 300, 7)], ids=["float32", "float64"])
@pytest.mark.parametrize("name", ["plain", "large common offset", "tight clusters"])
def test_no_other_sample_is_nearer_than_the_limit(name, queries):
    rows = HARD[name]
    wide = rows.astype(np.float64)
    frame = Frame(wide.mean(axis=0).astype(np.float32), 0.25)
    kept = candidates(rows, frame, most=9, size=70, products=Products(), queries=queries)
    for query, places, limit in zip(kept.queries, kept.places, kept.limit, strict=True):
        others = np.setdiff1d(np.arange(len(rows)), [query, *places])
        assert query not in places
        assert ((wide[others] - wide[query]) ** 2).sum(axis=1).min() >= limit


def test_more_than_there_are_is_clipped_and_told(caplog):
    found = nearest(HARD["plain"][:4], k=9, memory_bytes=MEMORY)
    assert found.indices.shape == found.distances.shape == (4, 3)
    assert "4 samples have 3 neighbours each, not 9" in caplog.text


def test_one_sample_has_none():
    assert nearest(HARD["plain"][:1], k=1, memory_bytes=MEMORY).indices.shape == (1, 0)


def test_a_file_is_read_as_its_array(tmp_path):
    rows = HARD["maps in float16"]
    with h5py.File(tmp_path / "maps.h5", "w") as file:
        stored = file.create_dataset("maps", data=rows, chunks=(1, *rows.shape[1:]))
        found = nearest(stored, k=3, memory_bytes=MEMORY)
    assert np.array_equal(found.indices, brute(rows, 3)[0])


@pytest.mark.parametrize(
    ("name", "shape", "setting"),
    [
        ("wide", (300, 6000), 6_000_000),
        ("narrow", (8000, 8), 12_000_000),
        ("clusters", (300, 3000), 6_000_000),
        ("equal", (900, 9), 6_000_000),
    ],
)
def test_memory_is_bounded(name, shape, setting):
    generator = np.random.default_rng(0)
    values = generator.normal(size=shape) if name != "equal" else np.ones(shape)
    if name == "clusters":
        values = clusters(1e-2, 1e3, features=shape[1])
    rows = WatchedRows(values.astype(np.float16 if name == "wide" else np.float32))
    _, peak = peak_of(lambda: nearest(rows, k=5, memory_bytes=setting))
    assert peak < setting + 2_500_000
    assert rows.most_at_once < shape[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [({"k": 0}, "ask for 1 or more"), ({"memory_bytes": 1000}, "raise it")],
)
def test_what_can_not_be_is_refused(options, told):
    with pytest.raises(AtlasError, match=told):
        nearest(HARD["plain"], **{"k": 3, "memory_bytes": MEMORY} | options)


def test_a_nan_is_refused():
    rows = HARD["plain"].copy()
    rows[[5, 7], 1] = np.nan
    with pytest.raises(AtlasError, match="mid: 2 of 300 samples"):
        nearest(rows, k=3, memory_bytes=MEMORY, what="mid")
