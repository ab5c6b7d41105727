"""Files, shards, folders and globs: what belongs to a checkpoint."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from atlas.basis.errors import AtlasError
from atlas.checkpoint import files_of, open_checkpoint

ONE = {"a.weight": np.ones((2, 2), np.float32)}
TWO = {"b.weight": np.zeros((2, 2), np.float32)}


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "sharded"
    folder.mkdir()
    save_file(ONE, folder / "model-00001-of-00002.safetensors")
    save_file(TWO, folder / "model-00002-of-00002.safetensors")
    weight_map = {"a.weight": "model-00001-of-00002.safetensors"}
    weight_map["b.weight"] = "model-00002-of-00002.safetensors"
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    folder = tmp_path / "pipeline"
    for component, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        (folder / component).mkdir(parents=True)
        save_file(ONE, folder / component / f"{name}.safetensors")
        save_file(TWO, folder / component / f"{name}.fp16.safetensors")
    (folder / "model_index.json").write_text("{}")
    return folder


@pytest.mark.parametrize("name", ["", "model.safetensors.index.json", "*.safetensors", "model-*"])
def test_a_sharded_set_opens_by_any_of_its_names(shards: Path, name: str) -> None:
    opened = open_checkpoint(shards / name)
    assert [tensor.name for tensor in opened.tensors] == ["network/a.weight", "network/b.weight"]
    assert list(opened.files) == files_of(shards / name) == sorted(shards.glob("*.safetensors"))


def test_a_missing_shard_is_named(shards: Path) -> None:
    (shards / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(AtlasError, match="1 of 2 shards"):
        open_checkpoint(shards)
    with pytest.raises(AtlasError, match="model-00002-of-00002"):
        files_of(shards / "model.safetensors.index.json")


def test_one_shard_named_alone_is_said(shards: Path) -> None:
    (finding,) = open_checkpoint(shards / "model-00001-of-00002.safetensors").findings
    assert "one of 2 shards; name all of them: model-*-of-00002.safetensors" in finding
    assert open_checkpoint(shards / "model-*-of-00002.safetensors").findings == ()


@pytest.mark.parametrize("text", ["", "[]", '{"weight_map": 3}', '{"weight_map": {"a": "../x"}}'])
def test_a_broken_index_is_refused(shards: Path, text: str) -> None:
    index = shards / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(AtlasError, match=r"index\.json"):
        files_of(index)


def test_the_same_key_in_two_shards_is_refused(shards: Path) -> None:
    save_file(ONE, shards / "model-00002-of-00002.safetensors")
    with pytest.raises(AtlasError, match="more than one"):
        open_checkpoint(shards)


def test_a_diffusers_folder_gives_components_at_full_precision(pipeline: Path) -> None:
    opened = open_checkpoint(pipeline)
    assert [tensor.name for tensor in opened.tensors] == ["text_encoder/a.weight", "unet/a.weight"]
    assert any("fp16" in finding for finding in opened.findings)
    assert files_of(pipeline) == list(opened.files)


def test_a_component_with_only_a_variant_is_read(pipeline: Path) -> None:
    (pipeline / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert [t.name for t in open_checkpoint(pipeline).tensors][1] == "unet/b.weight"


@pytest.mark.parametrize("name", ["model.sft", "model.SAFETENSORS", "Model.v1.SfT"])
def test_a_suffix_may_be_short_and_in_capitals(tmp_path: Path, name: str) -> None:
    save_file(ONE, tmp_path / name)
    for path in (tmp_path, tmp_path / name):
        opened = open_checkpoint(path)
        assert [file.name for file in opened.files] == [name]
        assert opened.findings == ()


def test_a_broken_file_is_told_by_its_suffix_in_capitals_too(tmp_path: Path) -> None:
    (tmp_path / "model.SFT").write_bytes(b"\xff" * 20)
    with pytest.raises(AtlasError, match="cannot hold a safetensors header"):
        open_checkpoint(tmp_path / "model.SFT")


def test_a_folder_of_several_checkpoints_is_refused(tmp_path: Path) -> None:
    save_file(ONE, tmp_path / "anime.safetensors")
    save_file(TWO, tmp_path / "photo.safetensors")
    with pytest.raises(AtlasError, match="several checkpoints"):
        files_of(tmp_path)


def test_what_is_not_there_is_said_with_the_nearest_name(pipeline: Path) -> None:
    with pytest.raises(AtlasError, match=r"did you mean .*pipeline"):
        files_of(pipeline.parent / "pipelin")
    with pytest.raises(AtlasError, match="no file matches"):
        files_of(pipeline / "*.ckpt")
    (pipeline / "dangling [1].ckpt").symlink_to("gone")
    with pytest.raises(AtlasError, match=r"a link to gone, which is not there; fetch"):
        files_of(pipeline / "dangling [1].ckpt")
    shutil.rmtree(pipeline / "unet")
    shutil.rmtree(pipeline / "text_encoder")
    with pytest.raises(AtlasError, match="no component folder"):
        files_of(pipeline)


def test_the_index_of_a_pipeline_says_what_belongs_to_it(pipeline: Path) -> None:
    save_file(ONE, pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    (pipeline / "vae_1_0").mkdir()
    save_file(ONE, pipeline / "vae_1_0" / "diffusion_pytorch_model.safetensors")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": [None, None],
    }
    (pipeline / "model_index.json").write_text(json.dumps(index))
    opened = open_checkpoint(pipeline)
    assert {tensor.component for tensor in opened.tensors} == {"unet", "text_encoder"}
    assert (
        "vae: model_index.json lists AutoencoderKL, but there are no weights of it"
        in opened.findings
    )
    assert any("vae_1_0" in finding for finding in opened.findings)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_index_of_a_pipeline_is_refused(pipeline: Path, text: str) -> None:
    (pipeline / "model_index.json").write_text(text)
    with pytest.raises(AtlasError, match=r"model_index\.json"):
        files_of(pipeline)


def test_the_own_model_of_a_folder_comes_before_what_lies_beside_it(tmp_path: Path) -> None:
    save_file(ONE, tmp_path / "model.safetensors")
    save_file(TWO, tmp_path / "adapter.safetensors")
    opened = open_checkpoint(tmp_path)
    assert [file.name for file in opened.files] == ["model.safetensors"]
    assert any("adapter.safetensors" in finding for finding in opened.findings)
