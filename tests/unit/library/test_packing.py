"""The file of a library: what goes in comes out, it says when it is none, and holds no path."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import factory
from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.library import libraries, packing
from atlas.library.entries import Entry, read_entry

BASE = factory.weights(0)
MODELS = {
    "base": BASE,
    "tuned": factory.changed(BASE, 1, "unet/"),
    "half": {name: value.astype(np.float16) for name, value in BASE.items()},
}


def alike(one: Entry, other: Entry) -> bool:
    """Compare all of two entries; arrays by their bits."""
    pairs = zip(one.parts, other.parts, strict=True)
    told = (one.model, one.label, one.kind, one.claims)
    return told == (other.model, other.label, other.kind, other.claims) and all(
        [repr(block) for block in mine.blocks] == [repr(block) for block in theirs.blocks]
        and all(
            np.array_equal(a.sums, b.sums) for a, b in zip(mine.blocks, theirs.blocks, strict=True)
        )
        and (mine.digests, mine.contents, mine.layout)
        == (theirs.digests, theirs.contents, theirs.layout)
        for mine, theirs in pairs
    )


def test_what_goes_in_comes_out(entries_of, tmp_path):
    entries = entries_of(MODELS)
    packing.write(entries, tmp_path / "library.parquet")
    back = packing.read(tmp_path / "library.parquet")
    assert [entry.model for entry in back] == ["base", "half", "tuned"]
    assert all(alike(one, other) for one, other in zip(entries, back, strict=True))


def test_the_order_of_models_changes_no_byte(entries_of, tmp_path):
    entries = entries_of(MODELS)
    packing.write(entries, tmp_path / "one.parquet")
    packing.write(reversed(entries), tmp_path / "other.parquet")
    one, other = (tmp_path / f"{name}.parquet" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_it_holds_no_path(entries_of, tmp_path):
    packing.write(entries_of(MODELS), tmp_path / "library.parquet")
    table, notes = sealed.read(tmp_path / "library.parquet", packing.SCHEMA.names)
    words = json.dumps(notes) + json.dumps(
        table.drop_columns(["sums", *packing.DIGESTS]).to_pylist()
    )
    assert str(tmp_path) not in words
    assert tmp_path.name not in words
    assert "/" not in words


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ({}, "no library"),
        ({"library": packing.VERSION + 1, "models": {"a": {}}}, "version 2, where"),
        ({"library": packing.VERSION, "models": {}}, "an empty library"),
    ],
)
def test_what_is_no_library_of_this_version_is_told_in_one_line(notes, words, tmp_path):
    path = tmp_path / "other.parquet"
    sealed.write(packing.SCHEMA.empty_table(), path, notes)
    with pytest.raises(AtlasError, match=words) as error:
        packing.read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("held", [b"", b"PAR1", b"no parquet at all, in spite of its name"])
def test_any_other_file_is_told(held, tmp_path):
    (tmp_path / "other.parquet").write_bytes(held)
    with pytest.raises(AtlasError, match="no library; make one"):
        packing.read(tmp_path / "other.parquet")


def test_a_damaged_library_is_told_and_left_where_it_is(entries_of, tmp_path):
    path = tmp_path / "library.parquet"
    packing.write(entries_of(MODELS), path)
    held = bytearray(path.read_bytes())
    held[100] ^= 1
    path.write_bytes(held)
    with pytest.raises(AtlasError, match="damaged"):
        packing.read(path)
    assert path.read_bytes() == held


def test_a_checkpoint_that_could_not_be_read_is_left_out(tmp_path):
    from atlas.fingerprints.fingerprint import SCHEMA

    sealed.write(SCHEMA.empty_table(), tmp_path / "a.parquet", {"problem": "cut off"})
    assert read_entry("a", "a", tmp_path / "a.parquet") is None


class TestSeveral:
    """Libraries are read as one."""

    @pytest.fixture
    def folder(self, entries_of, tmp_path) -> Path:
        packing.write(
            entries_of({"base": BASE, "one": factory.weights(1)}), tmp_path / "l/mine.parquet"
        )
        packing.write(
            entries_of({"base": BASE, "one": factory.weights(2)}), tmp_path / "l/theirs.parquet"
        )
        return tmp_path / "l"

    def test_equal_models_are_one_and_others_of_one_id_are_told_apart(self, folder):
        names = [entry.model for entry in libraries.load([folder])]
        assert names == ["base", "one", "theirs:one"]

    def test_a_folder_is_its_files(self, folder):
        files = [folder / "mine.parquet", folder / "theirs.parquet"]
        assert [entry.model for entry in libraries.load(files)] == [
            entry.model for entry in libraries.load([folder, *files])
        ]

    def test_other_contents_are_another_state(self, folder):
        assert libraries.state_of([folder]) != libraries.state_of([folder / "mine.parquet"])

    def test_a_folder_without_any_is_told(self, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(AtlasError, match="no library"):
            libraries.load([tmp_path / "empty"])

    def test_one_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(AtlasError, match="no such library"):
            libraries.load([tmp_path / "none.parquet"])


def test_the_schema_is_the_documented_one():
    page = (Path(__file__).parents[3] / "docs" / "library.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in packing.SCHEMA.names)
    assert packing.SCHEMA.field("sums").type == pa.binary(1024)
