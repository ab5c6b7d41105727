"""Stable Diffusion 1, 2 and XL in every layout that people have are one and the same model."""

from pathlib import Path

import numpy as np
import pytest

import narrow
import originals
from atlas.checkpoint import Checkpoint, open_checkpoint

VERSIONS = ("sd1", "sd2", "sdxl")


def contents(opened: Checkpoint) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Return shape and bytes of every tensor that is weighed, by its canonical name."""
    return {
        name: (values.shape, values.tobytes())
        for name, values in narrow.all_values(opened).items()
        if not name.startswith("other/")
    }


@pytest.fixture(scope="module", params=VERSIONS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    version = request.param
    components = narrow.stable_diffusion(version)
    path = tmp_path_factory.mktemp(version)
    folder = narrow.folder(path / "folder", components)
    return version, components, path, contents(open_checkpoint(folder))


def test_names_of_the_folder_are_diffusers_own(model) -> None:
    _, components, _, expected = model
    own = {f"{component}/{name}" for component, named in components.items() for name in named}
    assert expected.keys() == own
    counts = {"sd1": 686, "sd2": 686, "sdxl": 1680}
    assert sum(name.startswith("unet/") for name in expected) == counts[model[0]]
    assert sum(name.startswith("vae/") for name in expected) == 248


def test_single_file_and_folder_hold_the_same_weights(model) -> None:
    version, components, path, expected = model
    written = originals.as_ldm(components, version)
    opened = open_checkpoint(narrow.save(path / "single.safetensors", written))
    assert contents(opened) == expected
    assert narrow.surprises(opened) == []


def test_shards_of_the_single_file_hold_the_same_weights(model) -> None:
    version, components, path, expected = model
    index = narrow.shards(path / "shards", originals.as_ldm(components, version))
    assert contents(open_checkpoint(index)) == expected


def test_a_sharded_component_of_a_folder_is_read(model) -> None:
    _, components, path, expected = model
    folder = narrow.folder(path / "sharded", {k: v for k, v in components.items() if k != "unet"})
    narrow.shards(folder / "unet", components["unet"])
    assert contents(open_checkpoint(folder)) == expected


def test_wrappers_of_compilation_and_parallel_training_are_seen_through(model) -> None:
    version, components, path, expected = model
    written = originals.as_ldm(components, version)
    compiled = {
        key.replace("model.diffusion_model.", "model.diffusion_model._orig_mod."): value
        for key, value in written.items()
    }
    for name, keys in (("compiled", compiled), ("ddp", originals.under("module", written))):
        opened = open_checkpoint(narrow.save(path / f"{name}.safetensors", keys))
        assert contents(opened) == expected


def test_components_alone_are_recognised(model) -> None:
    version, components, path, expected = model
    ldm = originals.as_ldm(components, version)
    for prefix, component in (("model.diffusion_model.", "unet"), ("first_stage_model.", "vae")):
        own = {key: value for key, value in expected.items() if key.startswith(f"{component}/")}
        bare = {k.removeprefix(prefix): v for k, v in ldm.items() if k.startswith(prefix)}
        with_prefix = {k: v for k, v in ldm.items() if k.startswith(prefix)}
        for keys in (bare, with_prefix, components[component]):
            opened = open_checkpoint(narrow.save(path / "alone.safetensors", keys))
            assert contents(opened) == own


def test_averaged_weights_get_the_names_of_the_raw_ones(model) -> None:
    version, components, path, _ = model
    written = originals.as_ldm(components, version, ema=True)
    opened = open_checkpoint(narrow.save(path / "ema.safetensors", written))
    assert narrow.surprises(opened) == []
    assert not any(finding.startswith("ema") for finding in opened.findings)
    ema = {tensor.name: tensor for tensor in opened.tensors if tensor.component == "ema"}
    raw = {tensor.name: tensor for tensor in opened.tensors if tensor.component == "unet"}
    assert ema.keys() == {name.replace("unet/", "ema/") for name in raw}
    values = narrow.all_values(opened)
    for name, tensor in raw.items():
        averaged = ema[name.replace("unet/", "ema/")]
        assert (averaged.block, averaged.role) == (tensor.block, tensor.role)
        raw_values = values[name].view(np.float32)
        np.testing.assert_array_equal(values[averaged.name].view(np.float32), raw_values + 1)


def test_schedules_counters_and_positions_are_set_apart(model) -> None:
    version, components, path, _ = model
    written = originals.as_ldm(components, version, ema=True)
    opened = open_checkpoint(narrow.save(path / "other.safetensors", written))
    other = {tensor.name for tensor in opened.tensors if tensor.component == "other"}
    schedules = {"other/betas", "other/alphas_cumprod"}
    counters = {"other/model_ema.num_updates", "other/model_ema.decay"}
    positions = "other/text_encoder.text_model.embeddings.position_ids"
    extra = {
        "sd1": {positions},
        "sd2": {"other/text_encoder.logit_scale"},
        "sdxl": {positions, "other/text_encoder_2.logit_scale"},
    }
    assert other == schedules | counters | extra[version]


def test_text_encoder_without_text_model_is_the_same(tmp_path: Path) -> None:
    components = narrow.stable_diffusion("sd1")
    written = originals.as_ldm(components, "sd1")
    renamed = {
        key.replace("transformer.text_model.", "transformer."): v for key, v in written.items()
    }
    usual = open_checkpoint(narrow.save(tmp_path / "usual.safetensors", written))
    novel = open_checkpoint(narrow.save(tmp_path / "novel.safetensors", renamed))
    assert contents(novel) == contents(usual)
    keys = {tensor.name: tensor.key for tensor in novel.tensors}
    name = "text_encoder/text_model.final_layer_norm.bias"
    assert keys[name] == "cond_stage_model.transformer.final_layer_norm.bias"


def test_old_attention_names_of_the_vae_are_the_same(tmp_path: Path) -> None:
    vae = narrow.stable_diffusion("sd1")["vae"]
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, value in vae.items():
        key = next((name.replace(new, was) for new, was in old.items() if f".{new}." in name), name)
        renamed[key] = value
    assert renamed.keys() != vae.keys()
    new = open_checkpoint(narrow.save(tmp_path / "new.safetensors", vae))
    opened = open_checkpoint(narrow.save(tmp_path / "old.safetensors", renamed))
    assert contents(opened) == contents(new)


def test_the_unused_last_layer_of_stable_diffusion_2_is_set_apart(tmp_path: Path) -> None:
    encoder = narrow.weights(narrow.text_shapes(24, 4, projected=True))
    keys = originals.under("cond_stage_model.model", originals.clip_as_open_clip(encoder))
    opened = open_checkpoint(narrow.save(tmp_path / "sd2.safetensors", keys))
    kept = [tensor.name for tensor in opened.tensors if tensor.component == "text_encoder"]
    assert len(kept) == 372
    assert not any("layers.23." in name or "text_projection" in name for name in kept)


@pytest.mark.parametrize("version", VERSIONS)
def test_rules_agree_with_the_converters_of_diffusers(version: str, tmp_path: Path) -> None:
    import torch
    from diffusers.loaders import single_file_utils as original

    components = narrow.stable_diffusion(version)
    written = originals.as_ldm(components, version)
    checkpoint = {key: torch.from_numpy(np.array(value)) for key, value in written.items()}
    config = narrow.UNETS[version]
    unet = original.convert_ldm_unet_checkpoint(dict(checkpoint), config)
    vae = original.convert_ldm_vae_checkpoint(dict(checkpoint), narrow.VAE)
    for component, converted in (("unet", unet), ("vae", vae)):
        assert converted.keys() == components[component].keys()
        for name, value in converted.items():
            ours = components[component][name]
            np.testing.assert_array_equal(value.numpy().reshape(ours.shape), ours)
