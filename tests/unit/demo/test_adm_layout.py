"""OpenAI's keys against diffusers' own names and shapes of the same network."""

import numpy as np
import pytest
import torch

from atlas.basis.errors import AtlasError
from atlas_demo import facts
from atlas_demo.terrain.adm_layout import terrain_layout
from atlas_demo.terrain.networks import TerrainDenoiser


@pytest.fixture(scope="module")
def named() -> dict[str, np.ndarray]:
    """Return random weights under canonical names, in the shapes of diffusers' network."""
    with torch.device("meta"):
        network = TerrainDenoiser()
    draws = np.random.default_rng(0)
    return {
        name.replace(".", "/", 1): draws.random(tuple(tensor.shape), np.float32)
        for name, tensor in network.state_dict().items()
    }


def test_the_way_there_undoes_the_way_back(named):
    weights = terrain_layout().to_adm(named)
    assert len(weights) == 788
    assert sum(array.size for array in weights.values()) == 10_456_545
    again = terrain_layout().to_diffusers(weights)
    assert again.keys() == named.keys()
    for name, array in named.items():
        np.testing.assert_array_equal(again[name], array)


def test_known_keys_of_the_published_unet(named):
    weights = terrain_layout().to_adm(named)
    for key, name in {
        "input_blocks.0.0.weight": "unet/conv_in.weight",
        "input_blocks.5.0.out_layers.3.bias": "unet/down_blocks.0.downsamplers.0.conv2.bias",
        "input_blocks.24.0.in_layers.2.weight": "unet/down_blocks.4.resnets.3.conv1.weight",
        "middle_block.2.emb_layers.1.weight": "unet/mid_block.resnets.1.time_emb_proj.weight",
        "output_blocks.4.2.in_layers.2.weight": "unet/up_blocks.0.upsamplers.0.conv1.weight",
        "output_blocks.19.1.in_layers.2.weight": "unet/up_blocks.3.upsamplers.0.conv1.weight",
        "out.2.bias": "unet/conv_out.bias",
        "label_emb.2.weight": "unet/label_embedding.linear_2.weight",
    }.items():
        np.testing.assert_array_equal(weights[key], named[name])


def test_fused_attention_is_query_key_value_and_a_convolution(named):
    fused = terrain_layout().to_adm(named)["input_blocks.11.1.qkv.weight"]
    assert fused.shape == (192, 64, 1, 1)
    parts = [named[f"unet/down_blocks.2.attentions.0.to_{part}.weight"] for part in "qkv"]
    np.testing.assert_array_equal(fused[:, :, 0, 0], np.vstack(parts))


def test_a_key_of_another_network_is_a_fault():
    with pytest.raises(AtlasError, match=r"input_blocks\.25\.0\.in_layers\.0\.weight"):
        terrain_layout().to_diffusers({"input_blocks.25.0.in_layers.0.weight": np.zeros(1)})


def test_renamed_words_are_all_there_and_no_word_is_kept_that_layouts_know(named):
    words = facts.terrain()["renamed_words"]
    used = {word for name in named for word in name.replace("/", ".").split(".")}
    kept = used - set(words)
    assert set(words) <= used
    assert {word for word in kept if not word.isdigit()} == {"weight", "bias"}
