"""The demo's own table of Stable Diffusion 1's keys, against networks at their true sizes."""

import numpy as np
import pytest
import torch

from atlas.basis.errors import AtlasError
from atlas_demo import facts
from atlas_demo.digits import assembly, ldm_keys, networks, single_file

TRUE_SIZES = {
    "unet": {
        "block_out_channels": [320, 640, 1280, 1280],
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
        "norm_num_groups": 32,
    },
    "vae": {"block_out_channels": [128, 256, 512, 512], "norm_num_groups": 32},
    "text_encoder": {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "projection_dim": 768,
    },
}


def components(*, true_sizes: bool) -> dict[str, dict[str, np.ndarray]]:
    """Return the shapes of the three networks as arrays that take no memory."""
    made = {}
    for component, config in facts.digits()["components"].items():
        sizes = TRUE_SIZES[component] if true_sizes else {}
        with torch.device("meta"):
            network = networks.build(component, config | sizes)
        made[component] = {
            name: np.broadcast_to(np.float32(0), tuple(tensor.shape))
            for name, tensor in network.state_dict().items()
        }
    return made


@pytest.fixture(scope="module")
def narrow() -> dict[str, dict[str, np.ndarray]]:
    return components(true_sizes=False)


@pytest.fixture(scope="module")
def true() -> dict[str, dict[str, np.ndarray]]:
    return components(true_sizes=True)


def test_the_miniature_has_the_tensors_of_stable_diffusion_1(narrow, true):
    counts = {component: len(weights) for component, weights in narrow.items()}
    assert counts == {"unet": 686, "vae": 248, "text_encoder": 196}
    for component, weights in narrow.items():
        assert weights.keys() == true[component].keys()
        for name, array in weights.items():
            assert array.ndim == true[component][name].ndim


def test_the_original_keys_and_shapes_at_the_true_sizes(true):
    single = ldm_keys.to_ldm(true, facts.sd1_keys())
    known = {
        "model.diffusion_model.time_embed.2.weight": (1280, 1280),
        "model.diffusion_model.input_blocks.3.0.op.weight": (320, 320, 3, 3),
        "model.diffusion_model.input_blocks.4.0.skip_connection.bias": (640,),
        "model.diffusion_model.input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight": (
            1280,
            768,
        ),
        "model.diffusion_model.input_blocks.1.1.proj_in.weight": (320, 320, 1, 1),
        "model.diffusion_model.middle_block.2.out_layers.3.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.8.2.conv.bias": (640,),
        "model.diffusion_model.output_blocks.11.0.in_layers.0.weight": (640,),
        "model.diffusion_model.out.2.weight": (4, 320, 3, 3),
        "first_stage_model.encoder.down.2.block.0.nin_shortcut.weight": (512, 256, 1, 1),
        "first_stage_model.encoder.mid.attn_1.q.weight": (512, 512, 1, 1),
        "first_stage_model.decoder.up.0.block.0.conv1.weight": (128, 256, 3, 3),
        "first_stage_model.decoder.up.3.upsample.conv.weight": (512, 512, 3, 3),
        "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
        "cond_stage_model.transformer.text_model.final_layer_norm.bias": (768,),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
    }
    assert {key: single[key].shape for key in known} == known


def test_diffusers_own_converter_finds_every_key(true):
    from diffusers.loaders.single_file_utils import (
        convert_ldm_unet_checkpoint,
        convert_ldm_vae_checkpoint,
    )

    single = ldm_keys.to_ldm(true, facts.sd1_keys())
    tensors = {key: torch.empty(array.shape, device="meta") for key, array in single.items()}
    configs = facts.digits()["components"]
    unet = convert_ldm_unet_checkpoint(dict(tensors), configs["unet"])
    vae = convert_ldm_vae_checkpoint(dict(tensors), configs["vae"])
    for converted, component in ((unet, "unet"), (vae, "vae")):
        shapes = {name: tuple(tensor.shape) for name, tensor in converted.items()}
        assert shapes == {name: array.shape for name, array in true[component].items()}


def test_the_way_there_undoes_the_way_back():
    draws = np.random.default_rng(0)
    weights = {
        component: {name: draws.random(array.shape, np.float32) for name, array in shapes.items()}
        for component, shapes in components(true_sizes=False).items()
    }
    keys = facts.sd1_keys()
    again = ldm_keys.from_ldm(ldm_keys.to_ldm(weights, keys), keys)
    for component, arrays in weights.items():
        assert again[component].keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(again[component][name], array)


def test_the_full_checkpoint_has_1831_tensors_of_which_1145_are_not_the_average(narrow):
    full = assembly.full(narrow, narrow["unet"], digits=facts.digits(), keys=facts.sd1_keys())
    assert len(full) == 1831
    averaged = {single_file.average_key(key) for key in full if key.startswith(single_file.UNET)}
    assert averaged < full.keys()
    assert len(full) - len(averaged) == 1145
    assert "model_ema.diffusion_modelinput_blocks30opweight" in averaged
    position = full["cond_stage_model.transformer.text_model.embeddings.position_ids"]
    assert (position.shape, position.dtype) == ((1, 77), np.int64)
    assert full["model_ema.num_updates"].dtype == np.int32


def test_a_name_of_another_network_is_a_fault():
    with pytest.raises(AtlasError, match=r"down_blocks\.4\.resnets\.0\.conv1\.weight"):
        ldm_keys.to_ldm(
            {"unet": {"down_blocks.4.resnets.0.conv1.weight": np.zeros(1)}}, facts.sd1_keys()
        )


def test_twenty_five_blocks_and_what_is_in_none(narrow):
    single = ldm_keys.to_ldm(narrow, facts.sd1_keys())
    blocks = {single_file.block_of(key) for key in single if key.startswith(single_file.UNET)}
    numbered = {f"{half}{number:02d}" for half in ("IN", "OUT") for number in range(12)}
    assert blocks == numbered | {"MID", single_file.OUTSIDE}
    outside = [key for key in single if single_file.block_of(key) == single_file.OUTSIDE]
    assert {key.split(".")[2] for key in outside if key.startswith(single_file.UNET)} == {
        "time_embed",
        "out",
    }
