"""Weights and configuration of a model are found in its file or folder."""

import json

import pytest
import torch

import factory
from atlas.basis.errors import AtlasError
from atlas.networks.sources import Source


@pytest.fixture
def folder(tmp_path):
    return factory.diffusers_folder(tmp_path / "m", factory.weights(0))


def test_weights_of_one_component_by_their_names_in_it(folder):
    weights = factory.weights(0)
    state = Source("m", folder).state("vae")
    assert state.keys() == {name.removeprefix("vae/") for name in weights if name[:4] == "vae/"}
    for name, value in state.items():
        assert torch.equal(value, torch.from_numpy(weights[f"vae/{name}"]))


def test_some_of_the_weights(folder):
    source = Source("m", folder)
    assert source.state("unet", {"conv_in.bias"}).keys() == {"conv_in.bias"}
    assert source.state("unet", ()) == {}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_keep_their_dtype(tmp_path, dtype):
    value = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    torch.save({"a.weight": value, "b.weight": value.T}, tmp_path / "m.pt")
    state = Source("m", tmp_path / "m.pt").state("network")
    assert torch.equal(state["a.weight"], value)
    assert torch.equal(state["b.weight"], value.T)


def test_a_component_that_is_not_there_is_told_with_those_that_are(folder):
    with pytest.raises(AtlasError, match="has no transformer to run: it has text_encoder, unet"):
        Source("m", folder).state("transformer")


def test_a_component_that_cannot_be_read_is_told_with_the_reason(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"x" * 40)
    source = Source("m", folder)
    with pytest.raises(AtlasError, match=r"has no vae to run: .*vae"):
        source.required("vae")
    assert source.required("unet")


def test_configurations_of_the_stated_folder_come_first(folder, tmp_path):
    other = tmp_path / "other"
    for place, side in ((folder, 8), (other, 16)):
        (place / "unet").mkdir(parents=True, exist_ok=True)
        (place / "unet" / "config.json").write_text(json.dumps({"sample_size": side}))
    assert Source("m", folder).config("unet") == {"sample_size": 8}
    assert Source("m", folder, configuration=other).config("unet") == {"sample_size": 16}
    assert Source("m", folder, configuration=other).config("vae") is None


def test_a_components_own_folder_has_its_configuration_at_its_top(folder):
    (folder / "unet" / "config.json").write_text('{"sample_size": 8}')
    assert Source("m", folder / "unet").config("unet") == {"sample_size": 8}
    # beside a pipeline, a file of that name is none of a component's
    (folder / "config.json").write_text('{"sample_size": 9}')
    assert Source("m", folder).config("vae") is None


@pytest.mark.parametrize(("text", "problem"), [("{", "as JSON"), ("[1]", "expected a mapping")])
def test_a_broken_configuration_is_told_by_its_file(folder, text, problem):
    (folder / "unet" / "config.json").write_text(text)
    with pytest.raises(AtlasError, match=rf"config\.json: .*{problem}.*fetch it again"):
        Source("m", folder).config("unet")
