"""Paths that don't say which files are meant are faults of the roster; broken files are not."""

import os
from pathlib import Path

import numpy as np
import pytest

import narrow
from atlas.basis.validation import FaultyFileError
from atlas.roster import reading

WEIGHTS = {f"{number}.weight": np.ones(2, np.float32) for number in range(4)}


def roster(folder: Path, *paths: str) -> Path:
    lines = [f"  model-{number}: {{path: {path!r}}}" for number, path in enumerate(paths)]
    file = folder / "roster.yaml"
    file.write_text("\n".join(["models:", *lines]))
    return file


def test_each_unclear_path_is_told_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ckpt")
    (tmp_path / "link.ckpt").symlink_to("absent.ckpt")
    for name in ("one", "other"):
        narrow.save(tmp_path / "several" / f"{name}.safetensors", WEIGHTS)
    told = {
        "pipe.ckpt": "neither a file nor a folder but a named pipe; name a file",
        "link.ckpt": "a link to absent.ckpt, which is not there",
        "several": "holds several checkpoints (one.safetensors, other.safetensors)",
        "x" * 300: "longer than file systems allow",
        "*.pt": "no file matches",
    }
    with pytest.raises(FaultyFileError) as error:
        reading.load(roster(tmp_path, *told))
    assert f"{len(told)} problems" in str(error.value)
    assert "did you mean" not in str(error.value)
    for words in told.values():
        assert words in str(error.value)


def test_a_broken_checkpoint_is_no_fault_of_the_roster(tmp_path: Path) -> None:
    narrow.shards(tmp_path / "half", WEIGHTS)
    (tmp_path / "half" / "model-00002-of-00003.safetensors").unlink()
    (tmp_path / "no_index.json").write_text("{")
    (tmp_path / "emptied" / "unet").mkdir(parents=True)
    (tmp_path / "emptied" / "model_index.json").write_text("[]")
    paths = ["half", "half/*.safetensors", "half/model.safetensors.index.json"]
    held = reading.load(roster(tmp_path, *paths, "no_index.json", "emptied"))
    assert len(held.models) == 5
    assert held.missing == {}
