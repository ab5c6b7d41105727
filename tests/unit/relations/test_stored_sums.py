"""A group's table within bounded memory is, bit for bit, the one that is made in one pass."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from atlas.basis import tables
from atlas.distances.shards import NamesOnDisk
from atlas.fingerprints.renamings import Renamings
from atlas.relations import contents, groups, stored_sums
from atlas.relations.resources import SUMS_BYTES
from programs import measuring

MODELS = 24


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    """A made-up group: its folder, contents and shards."""
    folder = tmp_path_factory.mktemp("group")
    given = ("--models", MODELS, "--denoiser", 60, "--others", 8, "--shards")
    measuring.run("bench.relations.made_up_group", folder, *given)
    files = sorted((folder / "fingerprints").glob("*.parquet"))
    held = contents.load(files, [file.stem for file in files], Renamings())
    shards = sorted((folder / "distances").glob("*.parquet"))
    return folder, held, shards


def digest(folder, parts) -> str:
    file = folder / "table.parquet"
    tables.write_parts(parts, groups.SCHEMA, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def within(group, room_mb: float) -> list[pa.Table]:
    folder, held, shards = group
    return list(
        stored_sums.tables_within(
            held, NamesOnDisk(shards, method=1), folder=folder, room_mb=room_mb
        )
    )


def in_one_pass(group) -> list[pa.Table]:
    _, held, shards = group
    names = NamesOnDisk(shards, method=1)
    parts = groups.GroupDistances(held).parts(names.read(set(names)))
    return list(groups.tables(held.models, parts))


@pytest.mark.parametrize("room_mb", [1, 0.3, 0.001])
def test_less_room_gives_equal_bytes(group, room_mb):
    assert digest(group[0], within(group, room_mb)) == digest(group[0], in_one_pass(group))


@pytest.mark.parametrize("pairs", [1, 50, 275, 276])
def test_any_tile_gives_equal_rows(group, pairs, monkeypatch):
    monkeypatch.setattr(stored_sums, "TILE_PAIRS", pairs)
    monkeypatch.setattr(stored_sums, "TABLE_PAIRS", 100)
    found = pa.concat_tables(within(group, 0.3)).combine_chunks()
    assert found.equals(pa.concat_tables(in_one_pass(group)).combine_chunks())


def test_many_parts_wait_in_a_file_that_leaves_nothing_behind(group, monkeypatch):
    stored = []
    put = stored_sums.StoredSums.put
    monkeypatch.setattr(
        stored_sums.StoredSums,
        "put",
        lambda self, part, sums: stored.append(part) or put(self, part, sums),
    )
    before = set(group[0].iterdir())
    within(group, 0.3)
    assert len(stored) == len(set(stored)) > 10
    assert set(group[0].iterdir()) == before
    stored.clear()
    within(group, 100)
    assert not stored


def test_sums_are_kept_bit_for_bit(tmp_path):
    random = np.random.default_rng(0)
    sums = groups.Sums.zero(100)
    sums.counts[:] = random.integers(-(2**62), 2**62, sums.counts.shape)
    sums.sums[:], sums.squares[:] = random.random(sums.sums.shape), -0.0
    with stored_sums.StoredSums(tmp_path, pairs=100, tile=7) as stored:
        stored.put(("unet", "MID", "norm"), sums)
        found = stored.get(("unet", "MID", "norm"), slice(20, 93))
    np.testing.assert_array_equal(found.counts, sums.counts[:, 20:93])
    np.testing.assert_array_equal(found.sums, sums.sums[:, 20:93])


def test_the_declared_bytes_are_those_of_sums():
    sums = groups.Sums.zero(1)
    assert sums.counts.nbytes + sums.sums.nbytes + sums.squares.nbytes == SUMS_BYTES
