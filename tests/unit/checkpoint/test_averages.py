"""A training copy (EMA) can be read in the place of the raw weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

import narrow
import originals
from atlas.basis.errors import AtlasError
from atlas.checkpoint import Checkpoint, files_of, open_checkpoint

ONE = np.ones((2, 2), np.float32)


def floats(opened: Checkpoint, component: str) -> narrow.Weights:
    """Return a component's weights by their names in it."""
    return {
        name.partition("/")[2]: values.view(np.float32)
        for name, values in narrow.all_values(opened).items()
        if name.startswith(f"{component}/")
    }


def assert_equal(found: narrow.Weights, wanted: narrow.Weights) -> None:
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name].reshape(values.shape), values, err_msg=name)


def raised(named: narrow.Weights) -> narrow.Weights:
    return {name: values + 1 for name, values in named.items()}


@pytest.mark.parametrize("version", ["sd1", "sdxl"])
def test_the_copy_of_an_ldm_file_takes_the_unets_place(tmp_path: Path, version: str) -> None:
    components = narrow.stable_diffusion(version)
    written = originals.as_ldm(components, version, ema=True)
    opened = open_checkpoint(narrow.save(tmp_path / "full.safetensors", written), weights="ema")
    assert {tensor.component for tensor in opened.tensors} == components.keys() | {"other"}
    assert_equal(floats(opened, "unet"), raised(components["unet"]))
    assert_equal(floats(opened, "vae"), components["vae"])
    keys = {tensor.key for tensor in opened.tensors if tensor.component == "unet"}
    assert all(key.startswith("model_ema.") for key in keys)
    (said,) = narrow.surprises(opened)
    assert said.startswith("unet: read as the training copy (EMA) has it")
    assert f"{len(components['unet'])} tensors in the place of the raw ones" in said


def test_raw_is_what_a_file_gives_unasked(tmp_path: Path) -> None:
    written = originals.as_ldm(narrow.stable_diffusion("sd1"), "sd1", ema=True)
    file = narrow.save(tmp_path / "full.safetensors", written)
    assert open_checkpoint(file, weights="raw") == open_checkpoint(file)


def test_a_trainers_copy_of_all_components_keeps_them_apart(tmp_path: Path) -> None:
    components = narrow.stable_diffusion("sdxl")
    written = originals.as_ldm(components, "sdxl")
    weights = {
        key: torch.from_numpy(np.array(values))
        for key, values in written.items()
        if values.dtype == np.float32
    }
    saved = {"model": weights, "model_ema": {key: values + 1 for key, values in weights.items()}}
    torch.save(saved, tmp_path / "trained.pt")
    opened = open_checkpoint(tmp_path / "trained.pt", weights="ema")
    for component, named in components.items():
        assert_equal(floats(opened, component), raised(named))


def test_a_folder_of_its_own_holds_the_copy(tmp_path: Path) -> None:
    unet = narrow.stable_diffusion("sd1")["unet"]
    narrow.save(tmp_path / "unet" / "diffusion_pytorch_model.safetensors", unet)
    narrow.save(tmp_path / "unet_ema" / "diffusion_pytorch_model.safetensors", raised(unet))
    opened = open_checkpoint(tmp_path, weights="ema")
    assert {tensor.component for tensor in opened.tensors} == {"unet"}
    assert_equal(floats(opened, "unet"), raised(unet))


@pytest.mark.parametrize(
    ("marks", "weights", "chosen"),
    [
        (["", ".ema"], "ema", ".ema"),
        (["", ".ema"], "raw", ""),
        (["", ".ema"], None, ""),
        (["", ".non_ema"], "ema", ""),
        (["", ".non_ema"], "raw", ".non_ema"),
        (["", ".non_ema"], None, ""),
    ],
)
def test_marks_of_a_folders_files_tell_the_copy(
    tmp_path: Path, marks: list[str], weights: str | None, chosen: str
) -> None:
    for mark in marks:
        narrow.save(tmp_path / "unet" / f"diffusion_pytorch_model{mark}.safetensors", {"a": ONE})
    opened = open_checkpoint(tmp_path, weights=weights)
    assert [file.name for file in opened.files] == [f"diffusion_pytorch_model{chosen}.safetensors"]
    assert files_of(tmp_path, weights=weights) == list(opened.files)


@pytest.mark.parametrize("mark", ["", ".fp16", ".non_ema"])
def test_a_checkpoint_without_a_copy_says_so(tmp_path: Path, mark: str) -> None:
    narrow.save(tmp_path / "unet" / f"diffusion_pytorch_model{mark}.safetensors", {"a": ONE})
    file = narrow.save(tmp_path / "pruned.safetensors", {"a": ONE})
    for path in (tmp_path, file):
        with pytest.raises(AtlasError, match=r"no training copy \(EMA\).*leave `weights: ema` out"):
            open_checkpoint(path, weights="ema")
