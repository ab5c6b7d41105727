"""Sealed tables: any damage is noticed before a value is believed."""

from pathlib import Path

import pyarrow as pa
import pytest

from atlas.basis import sealed
from atlas.basis.sealing import DamagedFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sealed table of two columns, with a note."""
    file = tmp_path / "table.parquet"
    sealed.write(pa.table({"a": [1, 2], "b": ["x", "y"]}), file, {"kind": "model"})
    return file


def test_a_sealed_table_is_read_again_with_its_notes(path: Path) -> None:
    table, notes = sealed.read(path, ["b"])
    assert (table.to_pydict(), notes) == ({"b": ["x", "y"]}, {"kind": "model"})


def test_every_flipped_bit_of_a_sealed_table_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(DamagedFileError, match=r"table\.parquet: damaged: .* run again"):
            sealed.read(path, ["a"])
        assert not path.exists(), "the next run makes it anew"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, -1])
def test_a_sealed_table_that_was_cut_is_noticed(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DamagedFileError, match="damaged"):
        sealed.read(path, ["a"])


def test_a_sealed_table_that_another_reader_moved_aside_is_told(path: Path) -> None:
    path.unlink()
    with pytest.raises(DamagedFileError, match="another job has moved it"):
        sealed.read(path, ["a"])


def test_what_stands_beside_a_table_is_kept_and_not_handed_on(tmp_path: Path) -> None:
    metadata = {b"diffusion-atlas.more": b"1", b"pandas": b"{}"}
    table = pa.table({"a": [1]}).replace_schema_metadata(metadata)
    sealed.write(table, tmp_path / "a.parquet", {"kind": "model"})
    assert sealed.read_beside(tmp_path / "a.parquet") == {b"diffusion-atlas.more": b"1"}
    read, notes = sealed.read(tmp_path / "a.parquet", ["a"])
    assert (read.schema.metadata, notes) == (None, {"kind": "model"})
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedFileError):
        sealed.read_beside(tmp_path / "a.parquet")
