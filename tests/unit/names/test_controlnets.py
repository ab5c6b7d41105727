"""A ControlNet is a component of its own, whoever wrote it, and never a UNet."""

from pathlib import Path

import numpy as np
import pytest

import narrow
import originals
from atlas.checkpoint import Checkpoint, open_checkpoint

torch = pytest.importorskip("torch")

ONE = np.ones((2, 2), np.float32)
HINT = {
    "conv_in": "0", **{f"blocks.{n}": str(2 * n + 2) for n in range(6)}, "conv_out": "14",
}  # fmt: skip


def shapes() -> dict[str, tuple[int, ...]]:
    """Return a narrow ControlNet's tensors, in diffusers' naming."""
    config = dict(narrow.UNETS["sd1"])
    for key in ("up_block_types", "out_channels", "mid_block_type"):
        config.pop(key, None)
    config |= {"conditioning_embedding_out_channels": [4, 6, 8, 8]}
    return narrow.module_shapes("ControlNetModel", config)


NET = narrow.weights(shapes())


def as_ldm(named: narrow.Weights) -> narrow.Weights:
    """Write a ControlNet in its authors' layout."""
    keys: narrow.Weights = {}
    rest: narrow.Weights = {}
    for name, value in named.items():
        module, _, leaf = name.rpartition(".")
        if module.startswith("controlnet_down_blocks."):
            keys[f"zero_convs.{module.rpartition('.')[2]}.0.{leaf}"] = value
        elif module == "controlnet_mid_block":
            keys[f"middle_block_out.0.{leaf}"] = value
        elif module.startswith("controlnet_cond_embedding."):
            keys[f"input_hint_block.{HINT[module.partition('.')[2]]}.{leaf}"] = value
        else:
            rest[name] = value
    return keys | originals.unet_as_ldm(rest)


def opened(path: Path, named: narrow.Weights) -> Checkpoint:
    return open_checkpoint(narrow.save(path / "model.safetensors", named))


def held(found: Checkpoint) -> dict[str, bytes]:
    return {
        name: value.tobytes()
        for name, value in narrow.all_values(found).items()
        if name.startswith("controlnet/")
    }


WANTED = {f"controlnet/{name}": value.tobytes() for name, value in NET.items()}


@pytest.mark.parametrize("prefix", ["", "control_model."])
def test_both_layouts_of_a_controlnet_are_one(tmp_path: Path, prefix: str) -> None:
    ldm = {f"{prefix}{key}": value for key, value in as_ldm(NET).items()}
    for keys in (NET, ldm):
        found = opened(tmp_path, keys)
        assert held(found) == WANTED
        assert {tensor.component for tensor in found.tensors} == {"controlnet"}
        assert found.findings == ()


def test_rules_agree_with_the_converter_of_diffusers() -> None:
    from diffusers.loaders import single_file_utils

    ldm = {f"control_model.{key}": torch.from_numpy(v) for key, v in as_ldm(NET).items()}
    converted = single_file_utils.convert_controlnet_checkpoint(ldm, narrow.UNETS["sd1"])
    assert {name for name in converted if converted[name] is not None} == set(NET)
    for name, value in NET.items():
        np.testing.assert_array_equal(converted[name].numpy(), value)


def test_a_controlnet_beside_a_model_leaves_its_unet_alone(tmp_path: Path) -> None:
    components = narrow.stable_diffusion("sd1")
    keys = originals.as_ldm(components, "sd1") | originals.under("control_model", as_ldm(NET))
    found = opened(tmp_path, keys)
    assert held(found) == WANTED
    unet = {tensor.name for tensor in found.tensors if tensor.component == "unet"}
    assert unet == {f"unet/{name}" for name in components["unet"]}


def test_a_folder_of_a_controlnet_alone_is_one(tmp_path: Path) -> None:
    narrow.save(tmp_path / "cn" / "diffusion_pytorch_model.safetensors", NET)
    (tmp_path / "cn" / "config.json").write_text('{"_class_name": "ControlNetModel"}')
    assert held(open_checkpoint(tmp_path / "cn")) == WANTED


@pytest.mark.parametrize("folder", ["controlnet", "unet"])
def test_a_folders_name_makes_no_unet_of_it(tmp_path: Path, folder: str) -> None:
    for number, keys in enumerate((NET, as_ldm(NET))):
        narrow.save(tmp_path / str(number) / folder / "diffusion_pytorch_model.safetensors", keys)
        (tmp_path / str(number) / "model_index.json").write_text("{}")
        assert held(open_checkpoint(tmp_path / str(number))) == WANTED


@pytest.mark.parametrize(
    "keys",
    [
        {"controlnet_blocks.0.weight": ONE, "transformer_blocks.0.attn.to_q.weight": ONE},
        {"control_model.of.no.known.layout.weight": ONE},
        {"controlnet_down_blocks.0.weight": ONE, "conv_in.weight": ONE}
        | {"down_blocks.0.resnets.0.norm1.weight": ONE},
    ],
)
def test_no_controlnet_passes_for_a_denoiser(tmp_path: Path, keys: narrow.Weights) -> None:
    found = opened(tmp_path, keys)
    assert {tensor.component for tensor in found.tensors} == {"controlnet"}
    assert {tensor.key for tensor in found.tensors} == set(keys)
