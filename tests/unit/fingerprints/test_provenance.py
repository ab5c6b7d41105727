"""A fingerprint keeps by what a file may be named, and what it says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.fingerprints.provenance import (
    LEGACY_BYTES,
    LEGACY_START,
    UPDATES,
    FileMark,
    Provenance,
    legacy_hash,
    packed,
    provenance,
    read_provenance,
    unpacked,
)


def saved(path: Path, elements: int = 4, **texts: str) -> Path:
    save_file({"a": np.arange(elements, dtype=np.float32)}, path, metadata=texts)
    return path


def fingerprinted(checkpoint: Path, path: Path) -> Path:
    opened = open_checkpoint(checkpoint)
    sealed.write(fingerprint.table(opened), path, fingerprint.notes(opened))
    return path


def test_the_old_hash_is_of_64_kib_from_1_mib_on(tmp_path: Path) -> None:
    file = saved(tmp_path / "m.safetensors", 300_000)
    taken = file.read_bytes()[LEGACY_START : LEGACY_START + LEGACY_BYTES]
    assert len(taken) == LEGACY_BYTES
    assert legacy_hash(file) == hashlib.sha256(taken).hexdigest()[:8]


@pytest.mark.parametrize("size", [0, 10, LEGACY_START])
def test_a_short_file_has_none(tmp_path: Path, size: int) -> None:
    (tmp_path / "m").write_bytes(bytes(size))
    assert legacy_hash(tmp_path / "m") == ""


def test_the_hubs_cache_tells_a_hash_by_its_links(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    saved(blob)
    link = tmp_path / "m.safetensors"
    link.symlink_to(blob)
    other = tmp_path / "n.safetensors"
    other.symlink_to(link)
    assert provenance(open_checkpoint(link)).files[0].sha256 == "ab" * 32
    assert provenance(open_checkpoint(other)).files[0].sha256 == ""


def test_a_fingerprint_keeps_it(tmp_path: Path) -> None:
    file = saved(tmp_path / "m.safetensors", mecha_recipe="x")
    kept = read_provenance(fingerprinted(file, tmp_path / "m.parquet"))
    assert kept.files == (FileMark("m.safetensors", file.stat().st_size, ""),)
    assert [(each.name, dict(each.texts)) for each in kept.metadata] == [
        ("m.safetensors", {"mecha_recipe": "x"})
    ]
    assert unpacked(packed(kept)) == kept


@pytest.mark.parametrize("ending", ["safetensors", "ckpt"])
@pytest.mark.parametrize("kind", [torch.int32, torch.int64])
def test_the_count_of_updates_is_kept(tmp_path: Path, ending: str, kind: torch.dtype) -> None:
    file = tmp_path / f"m.{ending}"
    tensors = {"a": torch.arange(4.0), UPDATES: torch.tensor(551602, dtype=kind)}
    if ending == "ckpt":
        torch.save({"state_dict": tensors, "global_step": 7}, file)
    else:
        save_torch_file(tensors, file)
    texts = [dict(each.texts) for each in provenance(open_checkpoint(file)).metadata]
    assert texts[-1] == {UPDATES: "551602"}
    assert (ending == "ckpt") == ({"global_step": "7"} in texts)


def test_what_counts_nothing_is_no_count(tmp_path: Path) -> None:
    for number, wrong in enumerate([torch.tensor(2.0), torch.tensor([1, 2])]):
        file = tmp_path / f"{number}.safetensors"
        save_torch_file({UPDATES: wrong}, file)
        assert provenance(open_checkpoint(file)).metadata == ()


def test_what_could_not_be_read_tells_nothing(tmp_path: Path) -> None:
    sealed.write(fingerprint.SCHEMA.empty_table(), tmp_path / "m.parquet", {"problem": "x"})
    assert read_provenance(tmp_path / "m.parquet") == Provenance()
