"""Codes in the place of weights: the component is refused by name, and the rest is read."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import factory
import narrow
import originals
import quantising
from atlas.basis.errors import AtlasError
from atlas.checkpoint import open_checkpoint

MODEL = narrow.stable_diffusion("sd1")
FILE = originals.as_ldm(MODEL, "sd1")
ONE = np.ones((2, 2), np.float32)


def part(prefix: str) -> factory.Weights:
    return {key: value for key, value in FILE.items() if key.startswith(prefix)}


@pytest.mark.parametrize("scheme", quantising.SCHEMES)
def test_codes_of_any_scheme_are_refused_and_the_rest_is_read(tmp_path: Path, scheme: str) -> None:
    whole = open_checkpoint(narrow.save(tmp_path / "whole.safetensors", FILE))
    unet = quantising.quantised(part("model.diffusion_model."), scheme)
    kept = {key: value for key, value in FILE.items() if key not in part("model.diffusion_model.")}
    opened = open_checkpoint(narrow.save(tmp_path / "codes.safetensors", kept | unet))
    assert list(opened.unread) == ["unet"]
    reason = opened.unread["unet"].in_full
    assert scheme.removeprefix("uint4 of ") in reason or "an unknown scheme" in reason
    assert "use the model's file before quantisation (" in reason
    assert opened.unread["unet"].numel == sum(value.size for value in unet.values())
    assert [t.name for t in opened.tensors] == [
        t.name for t in whole.tensors if t.component != "unet"
    ]
    assert narrow.surprises(opened) == []


@pytest.mark.parametrize("scheme", quantising.SCHEMES)
def test_a_file_of_codes_alone_is_refused_whole(tmp_path: Path, scheme: str) -> None:
    unet = quantising.quantised(MODEL["unet"], scheme)
    file = narrow.save(tmp_path / "codes.safetensors", unet)
    with pytest.raises(AtlasError, match="before quantisation") as error:
        open_checkpoint(file)
    assert str(error.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("x.weight.absmax", "4-bit weights of bitsandbytes"),
        ("x.weight.quant_state.bitsandbytes__nf4", "4-bit weights of bitsandbytes"),
        ("x.SCB", "8-bit weights of bitsandbytes"),
        ("model.diffusion_model.scaled_fp8", "scaled float8"),
        ("double_blocks.0.img_attn.proj.scale_weight", "scaled float8"),
        ("x.qweight", "GPTQ or AWQ"),
        ("x.wscales", "nunchaku"),
        ("x.comfy_quant", "ComfyUI"),
        ("x.weight._scale", "quanto"),
    ],
)
def test_a_scheme_is_told_by_a_key_that_nothing_else_has(
    tmp_path: Path, key: str, words: str
) -> None:
    file = narrow.save(tmp_path / "model.safetensors", {"x.weight": ONE, key: ONE})
    with pytest.raises(AtlasError, match=words) as error:
        open_checkpoint(file)
    assert f"(found {key})" in str(error.value)
    assert "before quantisation" in str(error.value)


@pytest.mark.parametrize("scale", ["scale", "scales", "scale_inv"])
def test_scales_beside_float8_tell_that_it_is_scaled(tmp_path: Path, scale: str) -> None:
    """Without them, float8 is a rounded copy and is read."""
    keys = {"fc.weight": ONE.astype(ml_dtypes.float8_e4m3fn), "norm.scale": ONE, "norm.bias": ONE}
    assert open_checkpoint(narrow.save(tmp_path / "plain.safetensors", keys)).unread == {}
    file = narrow.save(tmp_path / "scaled.safetensors", keys | {f"fc.{scale}": ONE})
    with pytest.raises(AtlasError, match="scaled float8 weights") as error:
        open_checkpoint(file)
    assert f"(found fc.{scale})" in str(error.value)


def test_scales_beside_one_encoder_refuse_that_encoder_alone(tmp_path: Path) -> None:
    encoders = {
        "clip_l": narrow.weights(narrow.text_shapes(2, 8, projected=True)),
        "t5xxl": narrow.weights(narrow.t5_shapes(2, 8)),
    }
    keys = part("model.diffusion_model.")
    for name, encoder in encoders.items():
        keys |= originals.under(f"text_encoders.{name}.transformer", encoder)
    mark = {"text_encoders.t5xxl.scaled_fp8": ONE}
    opened = open_checkpoint(narrow.save(tmp_path / "one.safetensors", keys | mark))
    assert list(opened.unread) == ["text_encoder_2"]
    assert {t.component for t in opened.tensors} == {"unet", "text_encoder"}


def test_a_mark_that_belongs_nowhere_is_one_of_every_component(tmp_path: Path) -> None:
    file = narrow.save(tmp_path / "all.safetensors", FILE | {"scaled_fp8": ONE})
    with pytest.raises(AtlasError, match="text_encoder: scaled float8"):
        open_checkpoint(file)


def test_counters_masks_and_tables_of_indices_are_no_codes(tmp_path: Path) -> None:
    buffers = {
        "embeddings.position_ids": np.arange(4000, dtype=np.int32)[None],
        "layers.0.relative_position_index": np.zeros((64, 64), np.int64),
        "layers.0.mask": np.ones((64, 64), bool),
        "norm.num_batches_tracked": np.array(7),
        "steps": np.array([900], np.int32),
    }
    weights = {f"layers.{number}.weight": np.ones((90, 90), np.float16) for number in range(6)}
    opened = open_checkpoint(narrow.save(tmp_path / "swin.safetensors", weights | buffers))
    assert opened.unread == {}
    assert {t.key for t in opened.tensors if t.component == "network"} == set(weights)
    assert opened.findings == ()


def test_a_few_integers_that_are_no_known_counters_are_told(tmp_path: Path) -> None:
    keys = {"a.weight": np.ones((200, 200), np.float32), "a.table": np.ones(2000, np.uint8)}
    opened = open_checkpoint(narrow.save(tmp_path / "few.safetensors", keys))
    assert opened.unread == {}
    assert opened.findings == (
        "network: 1 tensors of integers are no counters that are known, and are kept apart in "
        "the component other: a.table",
    )


def test_a_component_whose_file_is_broken_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = narrow.folder(tmp_path / "model", MODEL)
    unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
    unet.write_bytes(unet.read_bytes()[:-40])
    opened = open_checkpoint(folder)
    assert opened.unread["unet"].is_broken
    assert str(unet) in opened.unread["unet"].reason
    assert {t.component for t in opened.tensors} == {"vae", "text_encoder"}
    for component in ("vae", "text_encoder"):
        for file in (folder / component).iterdir():
            file.write_bytes(b"")
    with pytest.raises(AtlasError, match=r"unet: .*; vae: .*the file is empty"):
        open_checkpoint(folder)
