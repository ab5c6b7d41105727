"""Shards: what is written is read again, in order, in parts, and any damage is noticed."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.basis.sealing import DamagedFileError
from atlas.distances import shards
from atlas.distances.shards import (
    NameRows,
    NamesOnDisk,
    count_rows,
    iter_names,
    iter_sound,
    writer,
)

FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


def rows_of(name: str, contents: int, method: int = 1) -> NameRows:
    """Return all pairs of some contents of a name, with random measures."""
    generator = np.random.default_rng(sum(name.encode()) + contents)
    first, second = (side.astype(np.int32) for side in np.triu_indices(contents, k=1))
    measures = generator.random((5, first.size))
    measures[0] = generator.integers(0, 2**40, first.size)
    return NameRows(
        name=name,
        digests=[f"{name}-{number:03d}" for number in range(contents)],
        first=first,
        second=second,
        numel=np.full(first.size, 2**40, np.int64),
        measures=measures,
        method=method,
    )


def write(path, *rows: NameRows) -> None:
    with writer(path) as shard:
        for each in rows:
            shard.add(each)


def assert_equal(found: NameRows, expected: NameRows) -> None:
    assert (found.name, found.digests, found.method) == (
        expected.name,
        expected.digests,
        expected.method,
    )
    for array in ("first", "second", "numel", "measures"):
        np.testing.assert_array_equal(getattr(found, array), getattr(expected, array))


@FOLDER
@given(contents=st.lists(st.integers(2, 30), max_size=8), group=st.sampled_from([1, 100, 1 << 16]))
def test_what_is_written_is_read_again(tmp_path, contents, group):
    path = tmp_path / "0.parquet"
    written = [rows_of(f"unet/{place:02d}", count) for place, count in enumerate(contents)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", group)
        write(path, *written)
    found = list(iter_names([path], method=1))
    assert len(found) == len(written)
    for one, other in zip(found, written, strict=True):
        assert_equal(one, other)
    assert count_rows(path) == sum(each.first.size for each in written)


def test_columns_are_those_that_others_read(tmp_path):
    path = tmp_path / "0.parquet"
    written = rows_of("unet/a", 4)
    write(path, written)
    table = pq.read_table(path)
    assert table.column_names == shards.SCHEMA.names
    assert table["name"].to_pylist() == ["unet/a"] * 6
    pairs = list(zip(table["digest_a"].to_pylist(), table["digest_b"].to_pylist(), strict=True))
    assert pairs == list(itertools.combinations(written.digests, 2))
    np.testing.assert_array_equal(table["dot"], written.measures[4])


def test_a_digest_of_several_names_is_told_apart(tmp_path):
    path = tmp_path / "0.parquet"
    same = ["1", "2", "3"]
    written = [
        NameRows(**(vars(rows_of(name, 3)) | {"digests": same})) for name in ("unet/a", "unet/b")
    ]
    write(path, *written)
    for one, other in zip(iter_names([path], method=1), written, strict=True):
        assert_equal(one, other)


def test_equal_rows_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, rows_of("unet/a", 9), rows_of("unet/b", 3))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class Interrupting:
    """What a writer takes for rows, until it looks."""

    def __getattr__(self, _: str) -> None:
        raise KeyboardInterrupt


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "0.parquet"
    write(path, rows_of("unet/a", 5))
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write(path, rows_of("unet/b", 300), Interrupting())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    (tmp_path / ".0.parquet.abc.part").write_bytes(b"half a file")
    (tmp_path / ".1.parquet.abc.part").write_bytes(b"another job's")
    write(tmp_path / "0.parquet", rows_of("unet/a", 5))
    assert {path.name for path in tmp_path.iterdir()} == {"0.parquet", ".1.parquet.abc.part"}


def test_a_shard_may_be_empty(tmp_path):
    write(tmp_path / "0.parquet")
    assert list(iter_names([tmp_path / "0.parquet"], method=1)) == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """The bytes of a shard of three names."""
    path = tmp_path_factory.mktemp("sealed") / "0.parquet"
    write(path, *(rows_of(f"unet/{name}", 6) for name in "abc"))
    return path.read_bytes()


def assert_damaged(path) -> None:
    assert list(iter_sound(path, method=1)) == []
    assert count_rows(path) == 0
    with pytest.raises(DamagedFileError, match=r"0\.parquet: damaged: .* run again"):
        list(iter_names([path], method=1))
    assert not path.exists()  # so that the next run makes it anew
    assert path.with_name("0.parquet.damaged").exists()


def test_every_flipped_byte_is_noticed(tmp_path, whole):
    path = tmp_path / "0.parquet"
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert_damaged(path)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_shard_is_noticed(tmp_path, whole, share):
    path = tmp_path / "0.parquet"
    path.write_bytes(whole[: int(share * len(whole))])
    assert_damaged(path)


@pytest.mark.parametrize("part", [slice(None), slice(100, 200), slice(-60, None)])
def test_a_zeroed_stretch_is_noticed(tmp_path, whole, part):
    damaged = bytearray(whole)
    damaged[part] = bytes(len(damaged[part]))
    (tmp_path / "0.parquet").write_bytes(damaged)
    assert_damaged(tmp_path / "0.parquet")


def test_bytes_that_were_added_are_noticed(tmp_path, whole):
    (tmp_path / "0.parquet").write_bytes(whole + b"more")
    assert_damaged(tmp_path / "0.parquet")


def test_rows_of_another_method_are_passed_over(tmp_path):
    path = tmp_path / "0.parquet"
    write(path, rows_of("unet/a", 3, method=1), rows_of("unet/b", 3, method=2))
    assert [rows.name for rows in iter_sound(path, method=2)] == ["unet/b"]


def test_readers_refuse_another_method(tmp_path):
    path = tmp_path / "0.parquet"
    write(path, rows_of("unet/a", 3, method=1))
    with pytest.raises(AtlasError, match=r"0\.parquet: out of date: unet/a .* method 1"):
        list(iter_names([path], method=2))


def test_readers_refuse_a_name_that_is_in_two_shards(tmp_path):
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    for path in paths:
        write(path, rows_of("unet/a", 3))
    with pytest.raises(AtlasError, match=r"1\.parquet: out of date: unet/a is in 0\.parquet too"):
        list(iter_names(paths, method=1))


def test_readers_refuse_other_columns(tmp_path):
    path = tmp_path / "0.parquet"
    sealed.write(pa.table({"name": ["unet/a"]}), path)
    with pytest.raises(AtlasError, match=r"0\.parquet: out of date: it has other columns"):
        list(iter_names([path], method=1))


def test_the_second_reader_of_a_damaged_shard_is_told_the_same(tmp_path):
    path = tmp_path / "0.parquet"
    path.write_bytes(b"half")
    for found in ("moved to 0.parquet.damaged", "another job has moved it"):
        with pytest.raises(DamagedFileError, match=found):
            list(iter_names([path], method=1))


def test_a_shard_that_is_not_there_has_nothing_sound(tmp_path):
    assert list(iter_sound(tmp_path / "absent.parquet", method=1)) == []


def test_readers_refuse_two_methods_where_none_is_given(tmp_path):
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    write(paths[0], rows_of("unet/a", 3, method=7))
    assert [rows.method for rows in iter_names(paths[:1])] == [7]
    write(paths[1], rows_of("unet/b", 3, method=8))
    with pytest.raises(AtlasError, match=r"1\.parquet: out of date: unet/b .* method 8"):
        list(iter_names(paths))


def test_chosen_names_are_read_and_no_others(tmp_path):
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    for path, names in zip(paths, (["a", "b"], ["c"]), strict=True):
        with writer(path) as file:
            for name in names:
                file.add(_one_pair(name))
    names = NamesOnDisk(paths, method=1)
    assert list(names) == ["a", "b", "c"]
    assert [rows.name for rows in names.read({"b", "c"})] == ["b", "c"]
    for one, other in zip(names.read({"a", "b", "c"}), iter_names(paths, method=1), strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.measures, other.measures)


def test_names_of_another_method_or_of_two_shards_are_refused(tmp_path):
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    for path in paths:
        with writer(path) as file:
            file.add(_one_pair("a"))
    with pytest.raises(AtlasError, match=r"a is in 0\.parquet too"):
        NamesOnDisk(paths)
    with pytest.raises(AtlasError, match="a was measured by method 1"):
        NamesOnDisk(paths[:1], method=2)
    paths[0].write_bytes(paths[0].read_bytes()[:-9])
    with pytest.raises(DamagedFileError):
        NamesOnDisk(paths[:1])


def _one_pair(name: str) -> NameRows:
    one = np.zeros(1, np.int32)
    return NameRows(name, [f"{name}0", f"{name}1"], one, one + 1, one + 6, np.ones((5, 1)), 1)
