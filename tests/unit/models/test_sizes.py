"""What checkpoints take on disk, and the table and sentences of a group."""

import csv
import json

import numpy as np
import pytest

import factory
from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.models import description, sizes
from models.describe_group import main as describe_group


def weights_of(folder):
    return sorted(file for file in folder.rglob("*") if file.suffix == ".safetensors")


def test_a_folder_takes_what_its_weights_take(tmp_path):
    folder = factory.diffusers_folder(tmp_path / "x", factory.weights(1))
    (folder / "vae" / "notes.txt").write_text("no weights")
    files = weights_of(folder)
    assert len(files) > 1
    assert sizes.bytes_on_disk(folder) == sum(len(file.read_bytes()) for file in files)


def test_one_file_takes_its_size_also_where_it_is_broken(tmp_path):
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"no header")
    assert sizes.bytes_on_disk(file) == 9


def test_nothing_is_known_of_what_is_not_there(tmp_path):
    assert sizes.bytes_on_disk(tmp_path / "x.safetensors") is None
    (tmp_path / "x.safetensors.index.json").write_text('{"weight_map": {"a": "gone.safetensors"}}')
    assert sizes.bytes_on_disk(tmp_path / "x.safetensors.index.json") is None


@pytest.fixture
def group(tmp_path):
    """Return the fingerprints and checkpoints of two models, of which one can't be read."""
    folder = factory.diffusers_folder(tmp_path / "base", factory.weights(1))
    prints = {name: tmp_path / f"{name}.parquet" for name in ("lost", "base")}
    told = {"findings": ["a finding"]}
    sealed.write(fingerprint.table(open_checkpoint(folder)), prints["base"], told)
    problem = {"problem": "lost.ckpt: no such file"}
    sealed.write(fingerprint.SCHEMA.empty_table(), prints["lost"], problem)
    return prints, {"base": folder, "lost": tmp_path / "lost.ckpt"}


def test_a_group_has_a_row_of_every_model_and_its_sentences(group, tmp_path):
    prints, checkpoints = group
    table, noticed = tmp_path / "out" / "models.csv", tmp_path / "out" / "findings.json"
    describe_group(
        fingerprints=prints, checkpoints=checkpoints, weights={}, table=table, noticed=noticed
    )
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [*description.COLUMNS, "file_bytes"]
    assert [row["model"] for row in rows] == ["lost", *["base"] * 3]
    assert rows[0]["problem"] == "lost.ckpt: no such file"
    assert rows[0]["bytes"] == rows[0]["file_bytes"] == ""
    files = sum(file.stat().st_size for file in weights_of(checkpoints["base"]))
    assert {row["file_bytes"] for row in rows[1:]} == {str(files)}
    assert sum(int(row["bytes"]) for row in rows[1:]) == sum(
        np.asarray(value).nbytes for value in factory.weights(1).values()
    )
    told = json.loads(noticed.read_text())
    assert told == {"lost": ["lost.ckpt: no such file"], "base": ["a finding"]}
    assert list(told) == ["lost", "base"]
