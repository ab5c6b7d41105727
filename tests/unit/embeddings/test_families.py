"""Kinds of text encoders: known by tensors, held against configurations."""

from __future__ import annotations

import pytest

from atlas.architectures import catalogue
from atlas.embeddings import families


def clip_shapes(width: int, layers: int, *, projection: int | None = None) -> dict:
    """Return the shapes that CLIP's text encoder is known by."""
    shapes = {
        "text_model.embeddings.token_embedding.weight": (49408, width),
        "text_model.embeddings.position_embedding.weight": (77, width),
        "text_model.encoder.layers.0.mlp.fc1.weight": (4 * width, width),
    }
    for layer in range(layers):
        shapes[f"text_model.encoder.layers.{layer}.layer_norm1.weight"] = (width,)
    if projection is not None:
        shapes["text_projection.weight"] = (projection, width)
    return shapes


@pytest.mark.parametrize(
    ("name", "component", "shapes"),
    [
        ("sd15", "text_encoder", clip_shapes(768, 12)),
        ("sd21", "text_encoder", clip_shapes(1024, 23)),
        ("sd21", "text_encoder", clip_shapes(1024, 24, projection=1024)),
        ("sdxl", "text_encoder_2", clip_shapes(1280, 32, projection=1280)),
    ],
)
def test_published_encoders_fit_their_entry_of_the_catalogue(name, component, shapes):
    family = families.family_of(shapes)
    assert family.name == "clip"
    config = catalogue.load(name).components[component].config
    made = family.borrowed(config, shapes)
    assert made["num_hidden_layers"] == family.count_layers(shapes)
    assert family.borrowed(config, shapes | clip_shapes(640, 1)) is None


def test_a_model_s_own_configuration_is_held_to_every_number():
    family = families.family("clip")
    config = catalogue.load("sd21").components["text_encoder"].config
    told = family.misfit(config, clip_shapes(1024, 24))
    assert told == "num_hidden_layers is 23, and the weights have 24"
    assert family.misfit(config, clip_shapes(1024, 23)) is None


def test_what_is_silent_is_as_usual():
    family = families.family("clip")
    usual = {"num_attention_heads": 12, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
    assert family.state_of({}) == family.state_of(usual | {"dropout": 0.1})
    assert family.state_of({}) != family.state_of({"hidden_act": "gelu"})


def test_what_is_beside_the_text_is_left_out():
    family = families.family("language model")
    assert family.has("layers.0.self_attn.q_proj.weight")
    assert not family.has("visual.blocks.0.attn.proj.bias")
    assert families.family_of(["conv_in.weight"]) is None
