"""The contents decide what a file is; what is not read is refused with a remedy."""

import json
from pathlib import Path

import numpy as np
import pytest

import narrow
import originals
from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.checkpoint import Checkpoint, open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.relations import identity
from atlas.relations.contents import load as side_by_side

torch = pytest.importorskip("torch")

ONE = np.ones((2, 2), np.float32)
KINDS = ("sd1", "sd2", "sdxl", "sd3", "flux")
ENCODERS = {"sd3": ("clip_l", "clip_g", "t5xxl"), "flux": ("clip_l", "t5xxl")}
"""Text encoders of the single files, in the order in which diffusers numbers them."""

ENCODER_SHAPES = {
    "clip_l": narrow.text_shapes(2, 8, projected=True),
    "clip_g": narrow.text_shapes(3, 12, projected=True),
    "t5xxl": narrow.t5_shapes(2, 8),
}


def contents(opened: Checkpoint) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Return shape and bytes of every tensor that is weighed, by its canonical name."""
    return {
        name: (values.shape, values.tobytes())
        for name, values in narrow.all_values(opened).items()
        if not name.startswith("other/")
    }


def parts_of(kind: str) -> tuple[dict[str, narrow.Weights], narrow.Weights]:
    """Return a model by component and as one file in its original layout."""
    if kind in narrow.UNETS:
        components = narrow.stable_diffusion(kind)
        return components, originals.as_ldm(components, kind)
    class_name, config = narrow.TRANSFORMERS[kind]
    transformer = narrow.weights(narrow.module_shapes(class_name, config))
    components = {"transformer": transformer, "vae": narrow.stable_diffusion("sd1")["vae"]}
    original = originals.under("model.diffusion_model", originals.original(kind, transformer))
    original |= originals.under("vae", originals.original("ldm_vae", components["vae"]))
    for number, name in enumerate(ENCODERS[kind], start=1):
        encoder = narrow.weights(ENCODER_SHAPES[name], seed=number)
        original |= originals.under(f"text_encoders.{name}.transformer", encoder)
        components["text_encoder" if number == 1 else f"text_encoder_{number}"] = encoder
    return components, original


def saved(path: Path, named: narrow.Weights, *, zipped: bool) -> Path:
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in named.items()}
    torch.save({"state_dict": tensors}, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_the_same_in_every_format_and_layout(tmp_path: Path, kind: str) -> None:
    components, original = parts_of(kind)
    folder = narrow.folder(tmp_path / "folder", components)
    expected = contents(open_checkpoint(folder))
    assert expected.keys() == {f"{c}/{name}" for c, named in components.items() for name in named}
    ways = [
        narrow.save(tmp_path / "single.safetensors", original),
        narrow.shards(tmp_path / "shards", original),
        tmp_path / "shards" / "model-*.safetensors",
        saved(tmp_path / "zipped.ckpt", original, zipped=True),
        saved(tmp_path / "old.ckpt", original, zipped=False),
    ]
    binary = tmp_path / "binary"
    for component, named in components.items():
        (binary / component).mkdir(parents=True)
        saved(binary / component / "pytorch_model.bin", named, zipped=True)
    for way in (*ways, binary):
        opened = open_checkpoint(way)
        assert contents(opened) == expected, way
        assert narrow.surprises(opened) == []


@pytest.mark.parametrize("kind", KINDS)
def test_folder_single_file_and_pickle_get_the_verdict_identical(tmp_path: Path, kind: str) -> None:
    components, original = parts_of(kind)
    ways = {
        "folder": narrow.folder(tmp_path / "folder", components),
        "shards": narrow.shards(tmp_path / "shards", original),
        "single": saved(tmp_path / "single.ckpt", original, zipped=True),
    }
    for name, way in ways.items():
        sealed.write(fingerprint.table(open_checkpoint(way)), tmp_path / f"{name}.parquet")
    found = identity.table(
        side_by_side([tmp_path / f"{name}.parquet" for name in ways], list(ways))
    )
    assert len(found) == 3 * len(components)
    assert set(found["verdict"]) == {"identical"}
    assert found["identical_tensors"].equals(found["tensors"])


REFUSED = {
    "GGUF": b"GGUF\x03\x00\x00\x00" + bytes(64),
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n",
    "web page": b"<!DOCTYPE html><html><body>Log in</body></html>",
    "gzip": b"\x1f\x8b\x08" + bytes(32),
    "a NumPy array": b"\x93NUMPY\x01\x00" + bytes(64),
    "neither": b"hello, I am no weight file" + bytes(64),
    "empty": b"",
}


@pytest.mark.parametrize("words", REFUSED)
@pytest.mark.parametrize("suffix", [".ckpt", ".bin", ".gguf"])
def test_other_files_are_refused_by_what_they_are(tmp_path: Path, words: str, suffix: str) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_bytes(REFUSED[words])
    with pytest.raises(AtlasError, match=words) as error:
        open_checkpoint(file)
    assert str(file) in str(error.value)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    narrow.save(tmp_path / "none.safetensors", {})
    torch.save({"epoch": 3}, tmp_path / "none.pt")
    torch.save({"freqs": torch.ones(2, dtype=torch.complex64)}, tmp_path / "complex.pt")
    for file in tmp_path.iterdir():
        with pytest.raises(AtlasError, match=r"holds no tensors; name a file of weights"):
            open_checkpoint(file)


def test_a_lone_tensor_is_a_network_of_one(tmp_path: Path) -> None:
    torch.save(torch.ones(2), tmp_path / "one.pt")
    assert [tensor.name for tensor in open_checkpoint(tmp_path / "one.pt").tensors] == [
        "network/tensor"
    ]


def test_a_suffix_that_lies_is_said(tmp_path: Path) -> None:
    narrow.save(tmp_path / "a.safetensors", {"a": ONE}).rename(tmp_path / "a.ckpt")
    saved(tmp_path / "b.safetensors", {"a": ONE}, zipped=True)
    saved(tmp_path / "c.pt", {"a": ONE}, zipped=False)
    assert open_checkpoint(tmp_path / "a.ckpt").findings == (
        "a.ckpt is a safetensors file in spite of its name",
    )
    assert open_checkpoint(tmp_path / "b.safetensors").findings == (
        "b.safetensors is a PyTorch pickle in spite of its name",
    )
    assert open_checkpoint(tmp_path / "c.pt").findings == ()


def test_every_dtype_of_safetensors_is_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    dtypes = {
        "f64": torch.float64,
        "f32": torch.float32,
        "f16": torch.float16,
        "bf16": torch.bfloat16,
        "f8_e4m3fn": torch.float8_e4m3fn,
        "f8_e5m2": torch.float8_e5m2,
        "i64": torch.int64,
        "i32": torch.int32,
        "i16": torch.int16,
        "i8": torch.int8,
        "u8": torch.uint8,
        "bool": torch.bool,
    }
    save_file({name: torch.ones(3).to(d) for name, d in dtypes.items()}, tmp_path / "m.safetensors")
    opened = open_checkpoint(tmp_path / "m.safetensors")
    assert {tensor.key: tensor.dtype for tensor in opened.tensors} == {
        name: name for name in dtypes
    }


def test_the_better_of_several_variants_is_read(tmp_path: Path) -> None:
    unet = tmp_path / "model" / "unet"
    names = {
        "diffusion_pytorch_model.fp16.safetensors": 1,
        "diffusion_pytorch_model.bin": 2,
        "diffusion_pytorch_model.non_ema.safetensors": 3,
    }
    for name, value in names.items():
        path = unet / name
        if name.endswith("bin"):
            saved(path, {"a": ONE * value}, zipped=True)
        else:
            narrow.save(path, {"a": ONE * value})
    (unet / "config.json").write_text(json.dumps({}))
    opened = open_checkpoint(tmp_path / "model")
    assert [file.name for file in opened.files] == ["diffusion_pytorch_model.bin"]
    assert sum("passed over" in finding for finding in opened.findings) == 2
