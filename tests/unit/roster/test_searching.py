"""The search of a folder: what is a checkpoint, each once, and why something is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import factory
from atlas.basis.errors import AtlasError
from atlas.checkpoint import files_of
from atlas.roster.searching import search

ONE_TENSOR = {"unet/conv_in.weight": factory.weights(1)["unet/conv_in.weight"]}


def found(top: Path) -> list[str]:
    """Return what was found, relative to the folder."""
    return [each.path.relative_to(top).as_posix() for each in search(top)[0]]


def left_out(top: Path) -> dict[str, str]:
    """Return the reason for each that was left out, by its path in the folder."""
    return {each.path.relative_to(top).as_posix(): each.reason for each in search(top)[1]}


def test_files_of_all_suffixes_are_found_and_what_trainers_leave_is_not(tmp_path, save):
    save("deep/er/model.sft")
    save("UPPER.SAFETENSORS")
    save("optimizer.bin")
    save(".hidden/model.safetensors")
    save("._model.safetensors")
    assert found(tmp_path) == ["UPPER.SAFETENSORS", "deep/er/model.sft"]
    assert left_out(tmp_path) == {}


def test_each_broken_entry_is_left_out_with_its_reason_and_the_others_stay(tmp_path, save):
    whole = save("good.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[:-3])
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    (tmp_path / "pointer.safetensors").write_text(pointer)
    (tmp_path / "dangling.ckpt").symlink_to("/nowhere/blob")
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "quantised.gguf").write_bytes(b"GGUF" + bytes(60))
    save("fetching.safetensors", 2)
    (tmp_path / "fetching.safetensors.aria2").write_bytes(b"x")
    for folder, index in (("configured", '{"unet": ["diffusers", "UNet2D"]}'), ("cloned", pointer)):
        (tmp_path / folder / "unet").mkdir(parents=True)
        (tmp_path / folder / "model_index.json").write_text(index)
    save("cloned/unet/diffusion_pytorch_model.safetensors", 3)

    assert found(tmp_path) == ["good.safetensors"]
    reasons = left_out(tmp_path)
    assert {name: reasons.pop(name).split(";")[0] for name in ("dangling.ckpt", "pipe.pt")} == {
        "dangling.ckpt": "a link to /nowhere/blob, which is not there",
        "pipe.pt": "neither a file nor a folder but a named pipe",
    }
    for name, told in {
        "cloned": "model_index.json",
        "configured": "no component folder holds weights",
        "fetching.safetensors": "its download has not ended",
        "half.safetensors": "cut off",
        "pointer.safetensors": "git lfs pull",
        "quantised.gguf": "a GGUF file",
    }.items():
        assert told in reasons.pop(name)
    assert reasons == {}


def test_what_snakemake_would_take_for_a_wildcard_is_left_out(tmp_path, save):
    save("{model}.safetensors")
    factory.diffusers_folder(tmp_path / "a" / "{x, y}", ONE_TENSOR)
    save("{}.safetensors")
    assert found(tmp_path) == ["{}.safetensors"]
    assert left_out(tmp_path) == {
        "a/{x, y}": "Snakemake would fill in {x, y}; rename the file or folder",
        "{model}.safetensors": "Snakemake would fill in {model}; rename the file or folder",
    }


def test_shards_are_one_checkpoint_whose_glob_matches_nothing_else(tmp_path, save):
    shards, others = (
        [save(f"[sfw] wan/{stem}-0000{i}-of-00002.fp16.safetensors", i, f"{i}") for i in (1, 2)]
        for stem in ("wan", "wan-light")
    )
    save("[sfw] wan/wan-of-all.safetensors", 5)
    save("lost/model-00001-of-00003.safetensors", 6)
    sets = {each.path.name: each.pattern for each in search(tmp_path)[0]}
    assert files_of(sets["wan-?????-of-00002.fp16.safetensors"]) == shards
    assert files_of(sets["wan-light-?????-of-00002.fp16.safetensors"]) == others
    assert len(sets) == 3
    assert left_out(tmp_path) == {
        "lost/model-?????-of-00003.safetensors": "1 of 3 shards of model.safetensors are there; "
        "fetch model-00002-of-00003.safetensors, model-00003-of-00003.safetensors"
    }


def test_single_files_beside_a_pipeline_are_kept_and_its_parts_are_not_listed(tmp_path, save):
    factory.diffusers_folder(tmp_path / "clone", ONE_TENSOR)
    save("clone/sd_turbo.safetensors")
    assert found(tmp_path) == ["clone", "clone/sd_turbo.safetensors"]


def test_each_real_file_counts_once_and_under_its_own_name(tmp_path, save):
    save("b/real.safetensors")
    factory.diffusers_folder(tmp_path / "b" / "pipeline", ONE_TENSOR)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.safetensors").symlink_to(tmp_path / "b" / "real.safetensors")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "above").symlink_to(tmp_path.parent)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "b")
    assert found(tmp_path) == ["b/pipeline", "b/real.safetensors"]


def test_links_to_folders_elsewhere_are_followed(tmp_path, save):
    save("elsewhere/real.safetensors")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "link").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "top") == ["link/real.safetensors"]


def snapshot(top: Path, revision: str, name: str, save, value: float) -> Path:
    """Lay a file into the hub's cache: a blob, and a snapshot with a link to it."""
    repository = top / "models--owner--name"
    blob = save(f"models--owner--name/blobs/{value}", value)
    link = repository / "snapshots" / revision / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    return repository


@pytest.mark.parametrize(("main", "taken"), [("old", "old"), ("new", "new"), (None, "new")])
def test_of_a_repository_the_snapshot_of_main_counts_or_the_newest(tmp_path, save, main, taken):
    for age, revision in enumerate(("old", "new")):
        repository = snapshot(tmp_path, revision, "model.safetensors", save, age)
        os.utime(repository / "snapshots" / revision, (age, age))
    if main:
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(main)
    assert found(tmp_path) == [f"models--owner--name/snapshots/{taken}/model.safetensors"]
    (reason,) = left_out(tmp_path).values()
    assert reason == f"another snapshot of owner/name; {taken} was taken"


def test_a_snapshot_of_configurations_does_not_hide_one_with_weights(tmp_path, save):
    repository = snapshot(tmp_path, "old", "model.safetensors", save, 1)
    (repository / "snapshots" / "new").mkdir()
    (repository / "snapshots" / "new" / "config.json").write_text(json.dumps({}))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("new")
    assert found(tmp_path) == ["models--owner--name/snapshots/old/model.safetensors"]
    assert left_out(tmp_path) == {}


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(AtlasError, match="no such folder"):
        search(tmp_path / "gone")
