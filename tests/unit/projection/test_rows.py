"""Rows come in blocks, whole and finite, from numpy and from files."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.projection.rows import (
    Chosen,
    NonFinite,
    block_size,
    blocks,
    count_non_finite,
    read,
    require_finite,
    require_samples,
    width,
)
from watched_rows import WatchedRows


@pytest.fixture
def maps():
    return np.random.default_rng(0).normal(size=(7, 3, 2, 2)).astype(np.float16)


def test_blocks_are_all_rows_flattened_in_float32(maps):
    places, parts = zip(*blocks(maps, 3), strict=True)
    assert [place.start for place in places] == [0, 3, 6]
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert np.array_equal(np.concatenate(parts), maps.reshape(7, 12).astype(np.float32))


def test_a_file_gives_what_its_array_gives(maps, tmp_path):
    with h5py.File(tmp_path / "maps.h5", "w") as file:
        stored = file.create_dataset("maps", data=maps, chunks=(1, 3, 2, 2))
        assert width(stored) == width(maps) == 12
        assert np.array_equal(read(stored, 2, 5), read(maps, 2, 5))


def test_a_block_is_a_copy():
    rows = np.ones((4, 2), np.float32)
    for _, block in blocks(rows, 2):
        block *= 0
    assert rows.min() == 1


@pytest.mark.parametrize("dtype", [np.float64, np.int8, complex])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(AtlasError, match="store float16 or float32"):
        read(np.zeros((2, 2), dtype), 0, 2)


def test_what_is_not_finite_is_counted():
    rows = np.zeros((5, 4), np.float16)
    rows[1, 2] = np.nan
    rows[3] = np.inf, -np.inf, 0, np.nan
    assert count_non_finite(rows, 2) == NonFinite(samples=2, values=4)
    assert count_non_finite(rows[:1]) == NonFinite(0, 0)


def test_what_is_not_finite_is_refused_with_its_count():
    rows = np.zeros((5, 4), np.float32)
    rows[1, 2], rows[4, 0] = np.nan, np.inf
    require_finite(rows[2:4], rows, 2, "mid")
    with pytest.raises(AtlasError, match=r"mid: 2 of 5 samples hold NaN .*\(2 in all\); leave"):
        require_finite(rows[:2], rows, 2, "mid")


def test_as_many_rows_as_fit_are_a_block():
    rows = np.zeros((100, 10), np.float32)
    assert block_size(rows, 1000, per_value=8, most=50, what="mid") == 12
    assert block_size(rows, 1000, per_value=8, fixed=800, most=50, what="mid") == 2
    assert block_size(rows, 10**6, per_value=8, most=50, what="mid") == 50


def test_memory_for_not_one_row_is_refused_with_what_would_do():
    rows = np.zeros((3, 10**6), np.float16)
    with pytest.raises(AtlasError, match=r"1,000,000 values need 9\.0 MB .* set to 2\.0 MB; raise"):
        block_size(rows, 2 * 10**6, per_value=8, fixed=10**6, most=9, what="mid")


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_nothing_is_refused(shape):
    with pytest.raises(AtlasError, match=f"{shape[0]} × {shape[1]} values"):
        require_samples(np.zeros(shape, np.float32), "mid")


def test_chosen_rows_are_read_one_by_one(maps):
    watched = WatchedRows(maps)
    chosen = Chosen(watched, np.array([5, 0, 3]))
    assert chosen.shape == (3, 3, 2, 2)
    assert np.array_equal(read(chosen, 0, 9), maps[[5, 0, 3]].reshape(3, 12))
    assert watched.most_at_once == 1
    assert read(chosen, 3, 4).shape == (0, 12)
