"""Both tables of a group's tensors as the script writes them: byte by byte, of near pairs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.distances.shards import writer
from atlas.fingerprints import fingerprint
from atlas.fingerprints.renamings import Renamings
from atlas.relations import ranking
from programs import measuring
from relations import rank_tensors


@pytest.fixture(scope="module")
def group(tmp_path_factory) -> Path:
    """Make a group up, with its matrices."""
    folder = tmp_path_factory.mktemp("group")
    given = ("--models", 9, "--denoiser", 30, "--others", 4, "--shards")
    measuring.run("bench.relations.made_up_group", folder, *given)
    measuring.run("bench.relations.compare_group", folder)
    measuring.run("bench.relations.write_matrices", folder)
    return folder


def written(group: Path, folder: Path, *, pairs: int, base: str | None = None) -> Path:
    Renamings().save(folder / "renamings.json")
    rank_tensors.main(
        fingerprints={file.stem: file for file in sorted(group.glob("fingerprints/*.parquet"))},
        renamings=folder / "renamings.json",
        shard_files=sorted(group.glob("distances/*.parquet")),
        measured_by=1,
        matrix_folder=group / "matrices",
        base=base,
        pairs=pairs,
        tensors=5,
        table=folder / "tensors.parquet",
        spread=folder / "spread.parquet",
    )
    return folder


def test_equal_inputs_give_equal_bytes(group, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        written(group, folder, pairs=20)
    for name in ("tensors.parquet", "spread.parquet"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_tables_are_read_as_they_were_written(group, tmp_path):
    written(group, tmp_path, pairs=36)
    for name, schema in (("tensors", ranking.TENSORS), ("spread", ranking.SPREAD)):
        file = tmp_path / f"{name}.parquet"
        table = ranking.read_table(file, schema)
        pd.testing.assert_frame_equal(
            table.to_pandas(), pd.read_parquet(file), check_dtype=False, check_categorical=False
        )
        assert [field.type for field in table.schema][:2] == [ranking.WORD] * 2
        assert table.schema.names == schema.names
        assert len(table) > 100


def test_fewer_pairs_tell_the_same_of_those(group, tmp_path):
    some, every = tmp_path / "some", tmp_path / "every"
    for folder, most in ((some, 20), (every, 36)):
        folder.mkdir()
        written(group, folder, pairs=most, base="m00004")
    for name in ("tensors.parquet", "spread.parquet"):
        few, all_of_them = pd.read_parquet(some / name), pd.read_parquet(every / name)
        told = set(zip(few["a"], few["b"], strict=True))
        ends = list(zip(all_of_them["a"], all_of_them["b"], strict=True))
        assert all(a < b for a, b in told)
        assert len(told) <= 20
        assert name == "tensors.parquet" or len(told) > 15
        kept = all_of_them[[each in told for each in ends]].reset_index(drop=True)
        pd.testing.assert_frame_equal(few, kept)
        assert sum("m00004" in each for each in set(ends)) >= 7, "all pairs of the base"


def test_a_group_of_one_model_has_empty_tables(tmp_path):
    folder = factory.diffusers_folder(tmp_path / "model", factory.weights(seed=1))
    opened = open_checkpoint(folder)
    sealed.write(
        fingerprint.table(opened),
        tmp_path / "group" / "fingerprints" / "a.parquet",
        fingerprint.notes(opened),
    )
    (tmp_path / "group" / "distances").mkdir()
    with writer(tmp_path / "group" / "distances" / "0.parquet"):
        pass
    (tmp_path / "group" / "matrices").mkdir()
    made = written(tmp_path / "group", tmp_path, pairs=10)
    assert pd.read_parquet(made / "tensors.parquet").empty
    assert pd.read_parquet(made / "spread.parquet").empty
