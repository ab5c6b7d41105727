"""OpenAI's UNets, all-in-one files, adapters, other networks: what their keys become."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import narrow
import originals
from atlas.checkpoint import Checkpoint, open_checkpoint
from atlas.names import layouts, sections
from atlas.names.kinds import kind_of

ONE = np.ones((2, 2), np.float32)


def opened(path: Path, named: narrow.Weights) -> Checkpoint:
    return open_checkpoint(narrow.save(path / "model.safetensors", named))


def adm(levels: int, blocks: int, label: str) -> narrow.Weights:
    config = narrow.ADM | {
        "layers_per_block": blocks,
        "block_out_channels": [8, 8, 16, 16][-levels:],
        "down_block_types": (["ResnetDownsampleBlock2D"] * 3 + ["AttnDownBlock2D"])[-levels:],
        "up_block_types": (["AttnUpBlock2D"] + ["ResnetUpsampleBlock2D"] * 3)[:levels],
        "num_class_embeds": 5 if label == "class" else None,
    }
    shapes = narrow.module_shapes("UNet2DModel", config)
    if label == "mlp":
        shapes |= {f"label_embedding.linear_{n}.weight": (8, 8) for n in (1, 2)}
        shapes |= {f"label_embedding.linear_{n}.bias": (8,) for n in (1, 2)}
    return narrow.weights(shapes)


@pytest.mark.parametrize(
    ("levels", "blocks", "label"), [(1, 2, "none"), (2, 1, "class"), (3, 3, "mlp"), (4, 2, "none")]
)
def test_openai_unets_of_any_size_are_diffusers_models(
    tmp_path: Path, levels: int, blocks: int, label: str
) -> None:
    named = adm(levels, blocks, label)
    written = originals.unet_as_ldm(named, per_level=blocks + 1)
    assert any("qkv" in key for key in written)
    for prefix in ("", "model.", "network."):
        found = opened(tmp_path, {prefix + key: value for key, value in written.items()})
        read = narrow.all_values(found)
        assert read.keys() == {f"unet/{name}" for name in named}
        for name, value in named.items():
            np.testing.assert_array_equal(read[f"unet/{name}"].view(np.float32), value)


def test_an_all_in_one_file_of_stable_diffusion_3(tmp_path: Path) -> None:
    class_name, config = narrow.TRANSFORMERS["sd3"]
    transformer = narrow.weights(narrow.module_shapes(class_name, config))
    vae = narrow.stable_diffusion("sd1")["vae"]
    encoder = narrow.weights(narrow.text_shapes(2, 8, projected=True))
    second = narrow.weights(narrow.text_shapes(3, 12, projected=True), seed=1)
    t5 = {
        "shared.weight": ONE,
        "encoder.block.0.layer.0.SelfAttention.q.weight": ONE,
        "encoder.final_layer_norm.weight": ONE[0],
    }
    keys = (
        originals.under("model.diffusion_model", originals.original("sd3", transformer))
        | originals.under("first_stage_model", originals.original("ldm_vae", vae))
        | originals.under("text_encoders.clip_l.transformer", encoder)
        | originals.under("text_encoders.clip_g.transformer", second)
        | originals.under("text_encoders.t5xxl.transformer", t5)
    )
    expected = {
        f"{component}/{name}"
        for component, named in {
            "transformer": transformer,
            "vae": vae,
            "text_encoder": encoder,
            "text_encoder_2": second,
            "text_encoder_3": t5,
        }.items()
        for name in named
    }
    found = opened(tmp_path, keys)
    assert {tensor.name for tensor in found.tensors} == expected
    without = {key: value for key, value in keys.items() if "clip_g" not in key}
    components = {tensor.component for tensor in opened(tmp_path, without).tensors}
    assert components == {"transformer", "vae", "text_encoder", "text_encoder_2"}


def test_text_projection_is_turned_round(tmp_path: Path) -> None:
    encoder = narrow.weights(narrow.text_shapes(2, 8, projected=True))
    written = originals.clip_as_open_clip(encoder)
    found = narrow.all_values(opened(tmp_path, written))
    for name, value in encoder.items():
        np.testing.assert_array_equal(found[f"text_encoder/{name}"].view(np.float32), value)


@pytest.mark.parametrize(
    ("layout", "class_name", "config"),
    [
        (
            "wan_vae",
            "AutoencoderKLQwenImage",
            {"base_dim": 4, "z_dim": 4, "temperal_downsample": [False, True, True]},
        ),
        (
            "autoencoder_dc",
            "AutoencoderDC",
            {
                "in_channels": 3,
                "latent_channels": 4,
                "attention_head_dim": 4,
                "encoder_block_types": ["ResBlock", "EfficientViTBlock"],
                "decoder_block_types": ["ResBlock", "EfficientViTBlock"],
                "encoder_block_out_channels": [8, 16],
                "decoder_block_out_channels": [8, 16],
                "encoder_layers_per_block": [2, 2],
                "decoder_layers_per_block": [2, 2],
                "encoder_qkv_multiscales": [[], [5]],
                "decoder_qkv_multiscales": [[], [5]],
                "downsample_block_type": "conv",
                "upsample_block_type": "interpolate",
            },
        ),
    ],
)
def test_other_autoencoders_in_their_original_layouts(
    tmp_path: Path, layout: str, class_name: str, config: dict[str, object]
) -> None:
    import torch
    from diffusers.loaders import single_file_utils

    named = narrow.weights(narrow.module_shapes(class_name, config))
    written = originals.original(layout, named)
    found = opened(tmp_path, written)
    assert narrow.surprises(found) == []
    assert {tensor.name for tensor in found.tensors} == {f"vae/{name}" for name in named}
    tensors = {key: torch.from_numpy(value) for key, value in written.items()}
    converters = {
        "wan_vae": single_file_utils.convert_wan_vae_to_diffusers,
        "autoencoder_dc": single_file_utils.convert_autoencoder_dc_checkpoint_to_diffusers,
    }
    converted = converters[layout](tensors)
    assert converted.keys() == named.keys()
    values = narrow.all_values(found)
    for name, value in converted.items():
        ours = values[f"vae/{name}"].view(np.float32)
        np.testing.assert_array_equal(ours, value.numpy().reshape(ours.shape), err_msg=name)


def test_the_vae_of_flux_2_has_its_quantising_convolutions_inside(tmp_path: Path) -> None:
    vae = narrow.stable_diffusion("sd1")["vae"] | {"bn.running_mean": ONE[0]}
    inside = {"quant_conv": "encoder.quant_conv", "post_quant_conv": "decoder.post_quant_conv"}
    plain = originals.original("ldm_vae", {k: v for k, v in vae.items() if k[:3] != "bn."})
    written = {
        ".".join([inside.get(key.split(".")[0], key.split(".")[0]), *key.split(".")[1:]]): value
        for key, value in plain.items()
    }
    found = opened(tmp_path, written | {"bn.running_mean": ONE[0]})
    assert {tensor.name for tensor in found.tensors} == {f"vae/{name}" for name in vae}


def test_the_gate_of_qwen_image_2_1_is_split_as_diffusers_does(tmp_path: Path) -> None:
    import torch
    from diffusers.loaders import single_file_utils

    gate_up = np.arange(12, dtype=np.float32).reshape(6, 2)
    keys = {
        "txt_in.text_norm.weight": ONE,
        "transformer_blocks.0.img_mlp.gate_up.weight": gate_up,
        "transformer_blocks.0.img_mlp.down.weight": ONE,
    }
    tensors = {key: torch.from_numpy(value) for key, value in keys.items()}
    converted = single_file_utils.convert_qwen_image21_transformer_checkpoint_to_diffusers(tensors)
    values = narrow.all_values(opened(tmp_path, keys))
    assert values.keys() == {f"transformer/{name}" for name in converted}
    for name, value in converted.items():
        ours = values[f"transformer/{name}"].view(np.float32)
        np.testing.assert_array_equal(ours, value.numpy())


def test_sana_sprint_embeds_its_guidance(tmp_path: Path) -> None:
    class_name, config = narrow.TRANSFORMERS["sana"]
    shapes = narrow.module_shapes(class_name, config | {"guidance_embeds": True})
    named = narrow.weights(shapes)
    found = opened(tmp_path, originals.original("sana_sprint", named))
    assert {tensor.name for tensor in found.tensors} == {f"transformer/{name}" for name in named}


def test_a_network_of_no_known_layout_keeps_its_names(tmp_path: Path) -> None:
    keys = {"features.0.weight": ONE, "module.classifier.weight": ONE}
    keys |= {"transformer.h.0.ln_1.weight": ONE, "vae.something.weight": ONE}
    keys |= {"bn.num_batches_tracked": np.array(3, np.int64)}
    found = opened(tmp_path, keys)
    names = {tensor.name for tensor in found.tensors}
    assert names == {f"network/{key}" for key in keys if "tracked" not in key} | {
        "other/bn.num_batches_tracked"
    }
    assert narrow.surprises(found) == []


def test_averages_of_any_network_get_its_names(tmp_path: Path) -> None:
    found = opened(tmp_path, {"a.weight": ONE, "model_ema.a.weight": ONE})
    assert [tensor.name for tensor in found.tensors] == ["ema/a.weight", "network/a.weight"]


def test_an_unknown_text_encoder_of_a_known_model_keeps_its_names(tmp_path: Path) -> None:
    unet = originals.unet_as_ldm(narrow.stable_diffusion("sd1")["unet"])
    keys = originals.under("model.diffusion_model", unet) | {"cond_stage_model.bert.x.weight": ONE}
    found = opened(tmp_path, keys | {"strange.weight": ONE})
    names = {tensor.name for tensor in found.tensors if tensor.component != "unet"}
    assert names == {"text_encoder/bert.x.weight", "other/strange.weight"}
    assert any("strange.weight" in finding for finding in found.findings)


def test_a_network_with_a_vae_for_a_part_keeps_the_rest(tmp_path: Path) -> None:
    vae = narrow.stable_diffusion("sd1")["vae"]
    found = opened(tmp_path, originals.under("vae", vae) | {"dynamics.0.weight": ONE})
    assert {tensor.component for tensor in found.tensors} == {"vae", "network"}
    assert "network/dynamics.0.weight" in {tensor.name for tensor in found.tensors}


def test_keys_that_a_layout_does_not_know_are_said(tmp_path: Path) -> None:
    class_name, config = narrow.TRANSFORMERS["flux"]
    named = narrow.weights(narrow.module_shapes(class_name, config))
    keys = originals.original("flux", named) | {"double_blocks.0.img_attn.surprise.weight": ONE}
    found = opened(tmp_path, keys)
    assert any("surprise" in finding for finding in found.findings)
    assert len([t for t in found.tensors if t.component == "transformer"]) == len(named)


@pytest.mark.parametrize(
    "key",
    [
        "lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight",
        "unet.down_blocks.0.attentions.0.to_q.lora_A.weight",
        "transformer.single_transformer_blocks.0.attn.to_q.lora_B.default.weight",
        "lora_te1_text_model_encoder_layers_0_mlp_fc1.hada_w1_a",
        "lycoris_unet_mid_block_attentions_0_proj_in.lokr_w2",
        "mid_block.attentions.0.processor.to_q_lora.up.weight",
        "lora_unet_conv_in.oft_blocks",
        "lora_unet_conv_in.dora_scale",
        "lora_unet_conv_in.alpha",
        "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora.down.weight",
        "double_blocks.0.processor.qkv_lora1.up.weight",
        "double_blocks.0.processor.proj_lora2.down.weight",
        "transformer.x_embedder.lora_magnitude_vector",
        "diffusion_model.img_in.diff_b",
        "unet.conv_in.boft_blocks",
    ],
)
def test_adapters_are_told_from_models(tmp_path: Path, key: str) -> None:
    found = opened(tmp_path, {key: ONE})
    assert found.kind == "lora"
    assert {tensor.component for tensor in found.tensors} == {"lora"}


def test_embeddings_and_models_are_what_they_are() -> None:
    assert kind_of(["emb_params"]) == "embedding"
    assert kind_of(["string_to_param.*"]) == "embedding"
    assert kind_of(["clip_l", "clip_g"]) == "embedding"
    assert kind_of(["clip_l", "clip_g", "t5xxl"]) == "embedding"
    assert kind_of(["<my-cat>"]) == "embedding"
    encoder = "text_model.final_layer_norm.weight"
    assert kind_of([f"text_encoders.clip_l.transformer.{encoder}"]) == "model"
    assert kind_of([f"clip_l.{encoder}", f"clip_g.{encoder}"]) == "model"
    assert kind_of(["conv_in.weight", "activation.alpha", "alphas_cumprod"]) == "model"
    assert kind_of([]) == "model"


def test_positions_stored_as_numbers_of_the_wrong_kind_are_said(tmp_path: Path) -> None:
    components = narrow.stable_diffusion("sd1")
    keys = originals.as_ldm(components, "sd1")
    key = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    keys[key] = keys[key].astype(np.float16)
    found = opened(tmp_path, keys)
    assert any("position_ids" in finding and "f16" in finding for finding in found.findings)


def test_every_layout_says_what_it_is() -> None:
    for layout in layouts.layouts():
        assert layout.part in {"denoiser", "vae", "text_encoder", "controlnet"}
        assert layout.marks, layout.name


VIDEO = {
    f"blocks.{number}.{name}": ONE + number
    for number in range(2)
    for name in ("self_attn.q.weight", "ffn.0.bias")
} | {"head.weight": ONE, "scale": ONE}
"""A transformer of no known layout."""


@pytest.mark.parametrize(
    "prefix", ["net", "model.diffusion_model", "module", "model.net", "strange.name.dit", "ema.x"]
)
def test_what_all_names_of_an_unknown_network_begin_with_is_no_part_of_it(
    tmp_path: Path, prefix: str
) -> None:
    bare = opened(tmp_path, VIDEO)
    held = opened(tmp_path, originals.under(prefix, VIDEO))
    assert [(t.name, t.block, t.role) for t in held.tensors] == [
        (t.name, t.block, t.role) for t in bare.tensors
    ]
    assert {t.name: t.block for t in held.tensors} == {
        f"network/{key}": key.partition(".self")[0].partition(".ffn")[0].removesuffix(".weight")
        for key in VIDEO
    }
    assert [t.key for t in held.tensors] == [f"{prefix}.{t.key}" for t in bare.tensors]


def test_an_unknown_denoiser_has_the_same_names_beside_other_components(tmp_path: Path) -> None:
    vae = originals.under("vae", narrow.stable_diffusion("sd1")["vae"])
    whole = originals.under("model.diffusion_model", VIDEO) | vae | {"logit_scale": ONE}
    found = opened(tmp_path, whole)
    names = {t.name for t in found.tensors if t.component not in ("vae", "other")}
    assert names == {f"network/{key}" for key in VIDEO}


def test_a_list_of_blocks_is_no_prefix(tmp_path: Path) -> None:
    blocks = {key: value for key, value in VIDEO.items() if key.startswith("blocks.")}
    sequence = {"0.weight": ONE, "2.weight": ONE}
    layer = {"layer.weight": ONE, "layer.bias": ONE}
    for keys in (blocks, sequence, layer, {"only.weight": ONE}, {"scale": ONE, "shift": ONE}):
        for held in (keys, originals.under("net", keys)):
            names = {t.name for t in opened(tmp_path, held).tensors}
            assert names == {f"network/{key}" for key in keys}


def test_generic_keeps_what_all_names_begin_with(tmp_path: Path) -> None:
    file = narrow.save(tmp_path / "m.safetensors", originals.under("net", VIDEO))
    found = open_checkpoint(file, architecture="generic")
    assert {t.name for t in found.tensors} == {f"network/net.{key}" for key in VIDEO}


def test_a_quantised_denoiser_is_named_by_its_prefix(tmp_path: Path) -> None:
    vae = originals.under("vae", narrow.stable_diffusion("sd1")["vae"])
    codes = {"blocks.0.encoded_exponent": np.ones(200, np.uint8), "head.bias": ONE}
    found = opened(tmp_path, originals.under("model.diffusion_model", codes) | vae)
    assert list(found.unread) == ["transformer"]


PART = st.sampled_from(["a", "b", "blocks", "0", "1", "net", "weight"])


@settings(max_examples=200, deadline=None)
@given(st.sets(st.lists(PART, min_size=1, max_size=4).map(".".join), min_size=1, max_size=5))
def test_a_holder_more_changes_no_name(names: set[str]) -> None:
    bare = sections.bared({name: name for name in names})
    assert len(set(bare.values())) == len(names)
    for holder in ("net", "model.diffusion_model", "module.network"):
        held = sections.bared({name: f"{holder}.{name}" for name in names})
        assert held == bare
