"""The table of a folder: all kinds of files, only new ones looked at, and nothing lost."""

from __future__ import annotations

import csv
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

import factory
from atlas.basis.errors import AtlasError
from atlas.library import headers, triage
from atlas.library.triage import COLUMNS, Row, Shelves

BASE = factory.weights(0)
LORA = {
    f"lora_unet_down_{place}.{end}": np.ones((2, 3), np.float32)
    for place in range(3)
    for end in ("lora_up.weight", "lora_down.weight")
}
NOTHING = Shelves([], "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with checkpoints of several kinds."""
    top = tmp_path / "models"
    factory.diffusers_folder(top / "pipeline", BASE)
    factory.single_file(top / "loras" / "style.safetensors", LORA)
    factory.single_file(top / "plain.safetensors", {"some.weight": np.ones((3, 3), np.float32)})
    (top / "broken.safetensors").write_bytes(b"not a checkpoint")
    (top / "empty.ckpt").write_bytes(b"")
    return top


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """Return the names of checkpoints that are opened, as they come."""
    seen: list[str] = []
    original = headers.open_checkpoint

    def watched(path, **options):
        seen.append(path.name)
        return original(path, **options)

    monkeypatch.setattr(headers, "open_checkpoint", watched)
    return seen


def run(folder: Path, shelves: Shelves = NOTHING) -> dict[str, Row]:
    table = folder.parent / "triage.csv"
    done = triage.triage(folder, table, shelves)
    with table.open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    assert tuple(head) == COLUMNS
    assert tuple(Row(*line) for line in lines) == done.rows
    return {row.path: row for row in done.rows}


def with_metadata(path: Path, metadata: object, size: int = 12, shape: object = (3,)) -> Path:
    """Write a safetensors file whose header is as told."""
    header = {
        "__metadata__": metadata,
        "a.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 12]},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
    return path


def test_each_checkpoint_has_a_line(folder):
    rows = run(folder)
    assert {path: row.kind for path, row in rows.items()} == {
        "pipeline": "model",
        "loras/style.safetensors": "lora",
        "plain.safetensors": "model",
        "broken.safetensors": "broken",
        "empty.ckpt": "broken",
    }
    assert rows["pipeline"].components == "text_encoder unet vae"
    assert rows["pipeline"].format == "diffusers"
    assert rows["plain.safetensors"].components == "network"
    assert "empty" in rows["empty.ckpt"].problem
    assert str(folder) not in rows["empty.ckpt"].problem


def test_a_second_run_opens_nothing(folder, opened):
    first = run(folder)
    opened.clear()
    assert run(folder) == first
    assert opened == []


def test_new_and_changed_files_alone_are_looked_at(folder, opened):
    run(folder)
    opened.clear()
    factory.single_file(folder / "new.safetensors", {"other.weight": np.ones(4, np.float32)})
    factory.single_file(folder / "plain.safetensors", LORA)
    (folder / "empty.ckpt").unlink()
    rows = run(folder)
    assert sorted(opened) == ["new.safetensors", "plain.safetensors"]
    assert rows["plain.safetensors"].kind == "lora"
    assert "empty.ckpt" not in rows


def test_a_file_of_another_time_is_looked_at_again(folder, opened):
    run(folder)
    opened.clear()
    os.utime(folder / "plain.safetensors", ns=(1, 1))
    run(folder)
    assert opened == ["plain.safetensors"]


def test_files_of_one_header_are_opened_once(folder, opened):
    for number in range(20):
        weights = {"one.weight": np.full((4, 4), number, np.float32)}
        factory.single_file(folder / f"same-{number}.safetensors", weights)
    rows = run(folder)
    assert sum(name.startswith("same-") for name in opened) == 1
    told = {row.parameters for path, row in rows.items() if path.startswith("same-")}
    assert told == {"16"}


def test_metadata_are_each_files_own_and_no_part_of_what_is_compared(tmp_path, opened):
    folder = tmp_path / "models"
    with_metadata(folder / "a.safetensors", {"ss_epoch": "1"})
    with_metadata(folder / "b.safetensors", {"sd_merge_recipe": "{}", "modelspec.title": "x"})
    with_metadata(folder / "c.safetensors", {})
    rows = run(folder)
    assert [row.claims for row in rows.values()] == ["kohya", "merger modelspec", ""]
    assert len(opened) == 1


def test_a_file_of_a_known_header_that_is_cut_short_is_broken(tmp_path):
    folder = tmp_path / "models"
    with_metadata(folder / "a.safetensors", {})
    with_metadata(folder / "b.safetensors", {}, size=11)
    with_metadata(folder / "c.safetensors", {}, shape=(4,))
    rows = run(folder)
    assert [row.kind for row in rows.values()] == ["model", "broken", "broken"]


@pytest.mark.parametrize("metadata", [None, [], "text", {"a": {"b": "c"}}, {"a": 1}])
def test_strange_metadata_are_judged_as_by_opening_the_file(metadata, tmp_path):
    folder = tmp_path / "models"
    with_metadata(folder / "a.safetensors", {})
    file = with_metadata(folder / "b.safetensors", metadata)
    rows = run(folder)
    assert rows["b.safetensors"].kind == headers._described(file).kind


def test_a_run_that_was_killed_goes_on_where_it_ended(folder, opened, monkeypatch):
    monkeypatch.setattr(triage, "TOGETHER", 1)
    row = triage._row
    done = []

    def killed(*given):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(given)
        return row(*given)

    monkeypatch.setattr(triage, "_row", killed)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    monkeypatch.setattr(triage, "_row", row)
    table = folder.parent / "triage.csv"
    with table.open("a", encoding="utf-8") as file:
        file.write('"a line that was cut sh')
    opened.clear()
    assert len(run(folder)) == 5
    finished = {name.rpartition("/")[2] for name, *_ in done}
    assert opened
    assert not finished & set(opened)


def test_models_of_the_library_with_the_same_layout_are_named(folder, entries_of):
    shelves = Shelves(entries_of({"base": factory.weights(5), "tuned": factory.weights(6)}), "l")
    rows = run(folder, shelves)
    assert (rows["pipeline"].like, rows["pipeline"].alike) == (
        "base",
        "text_encoder unet vae, 2 models",
    )
    assert rows["plain.safetensors"].like == ""


def test_another_library_is_another_question(folder, entries_of):
    run(folder)
    shelves = Shelves(entries_of({"base": BASE}), "l")
    assert run(folder, shelves)["pipeline"].like == "base"


def test_hostile_names_and_texts_stay_in_their_cells(tmp_path):
    folder = tmp_path / "models"
    with_metadata(folder / 'a",b\x1b[31m.safetensors', {"ss_x": "\n"})
    rows = run(folder)
    assert len(rows) == 1
    assert "\x1b" not in (tmp_path / "triage.csv").read_text()


def test_links_to_one_file_are_one_line(folder):
    (folder / "link.safetensors").symlink_to(folder / "plain.safetensors")
    rows = run(folder)
    assert "plain.safetensors" in rows
    assert "link.safetensors" not in rows


def test_a_table_of_another_kind_is_left_alone(folder):
    table = folder.parent / "triage.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(AtlasError, match="no table of checkpoints"):
        run(folder)
    assert table.read_text() == "a,b\n1,2\n"


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AtlasError, match="no such folder"):
        triage.triage(tmp_path / "none", tmp_path / "t.csv", NOTHING)
