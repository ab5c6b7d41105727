"""Blocks and roles of every tensor, by the rule of merge-block-weight tools."""

import re
from collections import Counter

import pytest

import narrow
from atlas.names import expected
from atlas.names.blocks import blocks_of
from atlas.names.roles import ROLES, roles_of

DENOISERS = expected.tables("denoiser")
EVERY = [table for part in ("denoiser", "vae", "text_encoder") for table in expected.tables(part)]
UNITS = {
    "sd15": 25, "sd21": 25, "sdxl": 19, "sd3_medium": 24, "sd35_large": 38, "hunyuandit": 40,
    "auraflow_v02": 36, "flux1_dev": 57,
}  # fmt: skip
"""Published numbers of merge-block-weight units."""

MARK = re.compile(r"(IN|OUT)\d\d|MID|\w+\.\d+")


def identity(table: expected.Expected) -> str:
    return f"{table.architectures[0]}-{table.component}"


def shapes_of(name: str) -> expected.Expected:
    return next(table for table in DENOISERS if name in table.architectures)


@pytest.mark.parametrize("name", UNITS)
def test_number_of_units_is_the_published_one(name: str) -> None:
    blocks = set(blocks_of(shapes_of(name).shapes).values())
    assert sum(bool(MARK.fullmatch(block)) for block in blocks) == UNITS[name]


def test_units_of_stable_diffusion_1() -> None:
    blocks = blocks_of(shapes_of("sd15").shapes)
    expected_blocks = {
        "conv_in.weight": "IN00",
        "down_blocks.0.resnets.0.conv1.weight": "IN01",
        "down_blocks.0.attentions.1.proj_in.weight": "IN02",
        "down_blocks.0.downsamplers.0.conv.weight": "IN03",
        "down_blocks.3.resnets.1.conv2.bias": "IN11",
        "mid_block.attentions.0.norm.weight": "MID",
        "up_blocks.0.resnets.0.conv1.weight": "OUT00",
        "up_blocks.0.upsamplers.0.conv.weight": "OUT02",
        "up_blocks.3.attentions.2.proj_out.bias": "OUT11",
        "time_embedding.linear_1.weight": "time_embedding",
        "conv_out.bias": "conv_out",
    }
    assert {name: blocks[name] for name in expected_blocks} == expected_blocks


def test_any_number_of_blocks_is_counted_through() -> None:
    blocks = blocks_of(narrow.module_shapes("UNet2DModel", narrow.ADM))
    counts = Counter(block.rstrip("0123456789") for block in set(blocks.values()))
    assert counts["IN"] == counts["OUT"] == 12
    assert blocks["down_blocks.1.downsamplers.0.conv1.weight"] == "IN08"
    assert blocks["up_blocks.1.upsamplers.0.norm1.weight"] == "OUT07"


def test_refiners_are_no_units() -> None:
    blocks = set(blocks_of(shapes_of("lumina2").shapes).values())
    assert {"layers.25", "noise_refiner", "context_refiner"} <= blocks


def test_text_encoders_and_vae_have_their_own_blocks() -> None:
    encoder = blocks_of(["text_model.embeddings.token_embedding.weight",
                         "text_model.encoder.layers.3.mlp.fc1.weight",
                         "text_model.final_layer_norm.bias"])  # fmt: skip
    assert list(encoder.values()) == ["embeddings", "layers.3", "final_layer_norm"]
    vae = blocks_of(["encoder.conv_in.weight", "decoder.up_blocks.0.resnets.0.conv1.bias"])
    assert list(vae.values()) == ["encoder", "decoder"]


@pytest.mark.parametrize("table", EVERY, ids=identity)
def test_every_tensor_of_the_catalogue_has_a_role(table: expected.Expected) -> None:
    roles = roles_of(table.shapes)
    assert set(roles.values()) <= set(ROLES) - {"other"}


def test_roles_of_stable_diffusion_1() -> None:
    """80 tensors each of attn1 and attn2, as the notebooks count them."""
    roles = roles_of(shapes_of("sd15").shapes)
    counts = Counter(roles.values())
    assert counts["self_attention"] == counts["cross_attention"] == 80
    block = "down_blocks.0.attentions.0.transformer_blocks.0"
    expected_roles = {
        f"{block}.ff.net.0.proj.weight": "feed_forward",
        f"{block}.norm1.weight": "norm",
        f"{block}.attn1.to_q.weight": "self_attention",
        "down_blocks.0.attentions.0.proj_in.weight": "projection",
        "down_blocks.0.resnets.0.time_emb_proj.bias": "embedding",
        "down_blocks.1.resnets.0.conv_shortcut.weight": "convolution",
        "conv_norm_out.bias": "norm",
    }
    assert {name: roles[name] for name in expected_roles} == expected_roles


def test_second_attention_of_a_joint_block_is_no_cross_attention() -> None:
    counts = Counter(roles_of(shapes_of("sd35_medium").shapes).values())
    assert counts["cross_attention"] == 0


@pytest.mark.parametrize("name", ["pixart_alpha_512", "sana_1600m", "hunyuandit", "kandinsky3"])
def test_cross_attention_reads_the_text(name: str) -> None:
    """Keys of cross-attention have the width of the text, those of self-attention the model's."""
    shapes = shapes_of(name).shapes
    roles = roles_of(shapes)
    widths = {
        role: {shapes[n][1] == shapes[n.replace("to_k", "to_q")][1] for n in shapes
               if n.endswith("to_k.weight") and roles[n] == role}
        for role in ("self_attention", "cross_attention")
    }  # fmt: skip
    assert widths["self_attention"] == {True}
    assert roles
    assert widths["cross_attention"]
