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
