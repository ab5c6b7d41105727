"""Recipes of the web UIs' mergers say what weighs what, in which parts."""

from __future__ import annotations

import json

import pytest

from atlas.claims.claim import Kind
from said_in_files import FLUX, SD1, SDXL, A, B, C, merge, said, sums

WEBUI = {
    "type": "webui",
    "primary_model_hash": A,
    "secondary_model_hash": B,
    "tertiary_model_hash": None,
    "interp_method": "Weighted sum",
    "multiplier": 0.3,
    "save_as_half": False,
    "bake_in_vae": "None",
    "discard_weights": "",
}
SUPERMERGER = {
    "type": "sd-webui-supermerger",
    "weights_alpha": None,
    "weights_beta": None,
    "weights_alpha_orig": None,
    "weights_beta_orig": None,
    "model_a": A,
    "model_b": B,
    "model_c": A,
    "base_alpha": 0.5,
    "base_beta": 0.25,
    "mode": "Weight sum",
    "mbw": False,
    "elemental_merge": [],
    "calcmode": "normal",
    "Off": [""],
}
CHATTIORI = {
    "type": "merge-models-chattiori",
    "primary_model_hash": A,
    "secondary_model_hash": B,
    "tertiary_model_hash": C,
    "merge_method": "Weighted Sum",
    "block_weights": False,
    "alpha_info": "0.4",
    "beta_info": None,
    "fp": "fp16",
}


def test_the_web_ui_multiplier_weighs_b_in_all_components() -> None:
    (claim,) = said(merge(WEBUI))
    assert sums([claim]) == {("*", "*"): {"a": 0.7, "b": 0.3}}
    assert (claim.kind, claim.source) == (Kind.WEIGHTED_SUM, "sd_merge_recipe webui")
    assert [parent.sha256 for parent in claim.parents] == [A, B]
    assert claim.parents[0].legacy_hash == "aaaaaaaa"


def test_the_web_ui_adds_a_difference() -> None:
    recipe = WEBUI | {"interp_method": "Add difference", "tertiary_model_hash": C}
    (claim,) = said(merge(recipe))
    assert sums([claim]) == {("*", "*"): {"a": 1.0, "b": 0.3, "c": -0.3}}
    assert claim.kind == Kind.ADD_DIFFERENCE


def test_no_interpolation_is_a_copy_of_a() -> None:
    (claim,) = said(merge(WEBUI | {"interp_method": "No interpolation"}))
    assert claim.kind == Kind.COPY
    assert sums([claim]) == {("*", "*"): {"a": 1.0}}


def test_a_vae_that_was_put_in_is_a_claim_of_its_own() -> None:
    claims = said(merge(WEBUI | {"bake_in_vae": "fine.vae.pt"}))
    assert [(claim.component, claim.kind) for claim in claims] == [
        ("*", Kind.WEIGHTED_SUM),
        ("vae", Kind.COMPONENT_OF),
    ]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_models_may_be_encoded_twice(times: int) -> None:
    assert sums(said(merge(WEBUI, times=times))) == {("*", "*"): {"a": 0.7, "b": 0.3}}


def test_a_recipe_may_lie_among_the_models() -> None:
    texts = merge(WEBUI)
    models = json.loads(texts["sd_merge_models"]) | {"sd_merge_recipe": texts["sd_merge_recipe"]}
    assert sums(said({"sd_merge_models": json.dumps(models)})) == {("*", "*"): {"a": 0.7, "b": 0.3}}


def test_a_missing_weight_is_no_sum() -> None:
    (claim,) = said(merge(WEBUI | {"multiplier": "much"}))
    assert claim.kind == Kind.OTHER
    assert {parent.name for parent in claim.parents} == {"a.safetensors", "b.safetensors"}


def test_sd_next_has_alpha_and_beta() -> None:
    recipe = {
        "type": "SDNext",
        "primary_model_hash": A,
        "secondary_model_hash": B,
        "tertiary_model_hash": C,
        "merge_mode": "sum_twice",
        "alpha": 0.5,
        "beta": 0.2,
        "precision": "fp16",
    }
    assert sums(said(merge(recipe))) == {("*", "*"): {"a": 0.4, "b": 0.4, "c": 0.2}}
    (claim,) = said(merge(recipe | {"merge_mode": "euclidean_add_difference"}))
    assert claim.kind == Kind.OTHER


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("Weight sum", {"a": 0.5, "b": 0.5}),
        ("Add difference", {"a": 1.0, "b": 0.5, "c": -0.5}),
        ("Triple sum", {"a": 0.25, "b": 0.5, "c": 0.25}),
        ("sum Twice", {"a": 0.375, "b": 0.375, "c": 0.25}),
    ],
)
def test_supermerger_has_four_modes(mode: str, expected: dict[str, float]) -> None:
    found = sums(said(merge(SUPERMERGER | {"mode": mode, "model_c": C})))
    assert found == {("*", "*"): expected}


def test_supermerger_puts_a_where_c_is_empty() -> None:
    found = sums(said(merge(SUPERMERGER | {"mode": "Add difference"})))
    assert found == {("*", "*"): {"a": 0.5, "b": 0.5}}


def test_supermerger_by_block_lays_25_weights_and_a_base_onto_parts() -> None:
    weights = [number / 100 for number in range(1, 26)]
    found = sums(said(merge(SUPERMERGER | {"mbw": True, "weights_alpha": weights})))
    shares = {part: parents["b"] for part, parents in found.items()}
    assert shares["text_encoder", "*"] == shares["vae", "*"] == 0.5
    assert shares["unet", "IN00"] == shares["unet", "time_embedding"] == 0.01
    assert (shares["unet", "IN11"], shares["unet", "MID"]) == (0.12, 0.13)
    assert shares["unet", "OUT00"] == 0.14
    assert shares["unet", "OUT11"] == shares["unet", "conv_out"] == 0.25
    assert shares["unet", "conv_norm_out"] == 0.25
    assert len(shares) == 30


def test_supermerger_takes_a_text_with_commas_of_older_files() -> None:
    told = ",".join(str(number / 100) for number in range(26))
    found = sums(said(merge(SUPERMERGER | {"mbw": True, "weights_alpha_orig": told})))
    assert found["unet", "OUT11"]["b"] == 0.25
    # the tool merges what is no block by its own number
    assert found["vae", "*"]["b"] == 0.5


def test_a_list_of_26_onto_sdxl_passes_over_the_blocks_that_it_lacks() -> None:
    weights = [number / 100 for number in range(1, 26)]
    recipe = SUPERMERGER | {"mbw": True, "weights_alpha": weights}
    found = sums(said(merge(recipe), SDXL))
    assert found["unet", "IN08"]["b"] == 0.09
    assert found["unet", "MID"]["b"] == 0.13
    assert found["unet", "OUT08"]["b"] == found["unet", "conv_out"]["b"] == 0.22
    assert found["unet", "add_embedding"]["b"] == 0.01
    assert found["text_encoder_2", "*"]["b"] == 0.5


def test_a_list_of_20_is_of_sdxl() -> None:
    weights = [number / 20 for number in range(20)]
    found = sums(said(merge(SUPERMERGER | {"mbw": True, "weights_alpha_orig": weights}), SDXL))
    assert found["unet", "MID"]["b"] == 0.5
    assert found["unet", "OUT08"]["b"] == 0.95


def test_a_list_of_61_is_of_flux() -> None:
    weights = [number / 100 for number in range(61)]
    recipe = SUPERMERGER | {"mbw": True, "weights_alpha_orig": weights}
    found = sums(said(merge(recipe), FLUX))
    # a weight of nothing leaves A alone
    assert found["text_encoder", "*"] == {"a": 1.0}
    assert found["text_encoder_2", "*"]["b"] == 0.01
    assert found["transformer", "x_embedder"]["b"] == 0.02
    assert found["transformer", "transformer_blocks.18"]["b"] == 0.21
    assert found["transformer", "single_transformer_blocks.0"]["b"] == 0.22
    assert found["transformer", "proj_out"]["b"] == 0.6


def test_a_list_of_110_is_told_in_words() -> None:
    recipe = SUPERMERGER | {"mbw": True, "weights_alpha_orig": [0.5] * 110}
    (claim,) = said(merge(recipe), SDXL)
    assert claim.kind == Kind.OTHER
    assert "length" in claim.detail


def test_excluded_blocks_stay_the_first_models() -> None:
    recipe = SUPERMERGER | {"mbw": True, "weights_alpha": [0.3] * 25}
    found = sums(said(merge(recipe | {"Exclude": ["IN04", "VAE"]})))
    assert found["unet", "IN04"] == {"a": 1.0}
    assert found["vae", "*"] == {"a": 1.0}
    assert found["unet", "IN05"] == {"a": 0.7, "b": 0.3}
    only = sums(said(merge(recipe | {"Include": ["IN04"]})))
    assert only["unet", "IN04"] == {"a": 0.7, "b": 0.3}
    assert only["unet", "IN05"] == only["text_encoder", "*"] == {"a": 1.0}


@pytest.mark.parametrize("calcmode", ["cosineA", "trainDifference", "smoothAdd", "tensor", "self"])
def test_other_ways_to_calculate_are_no_sums(calcmode: str) -> None:
    (claim,) = said(merge(SUPERMERGER | {"calcmode": calcmode}))
    assert claim.kind == Kind.OTHER
    assert calcmode in claim.detail


def test_weights_of_single_tensors_are_told() -> None:
    (claim,) = said(merge(SUPERMERGER | {"elemental_merge": ["IN04:attn2:0.7"]}))
    assert "IN04:attn2:0.7" in claim.detail


def test_chattiori_weighs_b_and_knows_short_names() -> None:
    assert sums(said(merge(CHATTIORI))) == {("*", "*"): {"a": 0.6, "b": 0.4}}
    recipe = CHATTIORI | {"merge_method": "TS", "beta_info": "0.1"}
    assert sums(said(merge(recipe))) == {("*", "*"): {"a": 0.5, "b": 0.4, "c": 0.1}}
    (claim,) = said(merge(CHATTIORI | {"merge_method": "Sigmoid"}))
    assert claim.kind == Kind.OTHER


def test_chattiori_by_block() -> None:
    told = ",".join(["0.5"] * 13 + ["0.25"] * 13)
    found = sums(said(merge(CHATTIORI | {"block_weights": True, "alpha_info": told})))
    assert found["unet", "IN11"]["b"] == 0.5
    assert found["unet", "MID"]["b"] == 0.25


def test_baked_loras_are_told_with_their_strengths() -> None:
    recipe = {
        "type": "pluslora-chattiori",
        "checkpoint_hash": A,
        "lora_hash": "0123456789,abcdef0123",
        "alpha_info": "0.6,1",
        "output_name": "m",
    }
    (claim,) = said({"sd_merge_models": json.dumps(recipe)})
    assert claim.kind == Kind.LORA
    assert [(parent.name, parent.weight) for parent in claim.parents] == [
        (A, 1.0),
        ("0123456789", 0.6),
        ("abcdef0123", 1.0),
    ]


def test_a_chain_of_merges_is_worked_out() -> None:
    recipe = {
        "type": "sd-model-analyzer",
        "model_a": "a.safetensors",
        "model_b": "b.safetensors",
        "model_c": "c.safetensors",
        "mode": ["sum", "add"],
        "model_base": "base.safetensors",
        "weights_alpha": [[0.5] * 26, [0.2]],
        "model_recipe": "a*0.5 + b*0.5 + (c-base)*0.2",
    }
    found = sums(said({"sd_merge_recipe": json.dumps(recipe)}))
    assert found == {("*", "*"): {"a": 0.5, "b": 0.5, "c": 0.2, "base": -0.2}}
    (claim,) = said({"sd_merge_recipe": json.dumps(recipe | {"mode": ["sum", "madd"]})})
    assert claim.kind == Kind.OTHER
    assert "c-base" in claim.detail


def test_models_of_several_lengths_are_no_sum() -> None:
    recipe = {
        "type": "MergeStudio-AnimaMerge",
        "interp_method": "Weighted sum",
        "multiplier": 0.5,
        "anima_remap": {"from_blocks": 28, "to_blocks": 40, "inserted_blocks": [3]},
        "baked_loras": [{"name": "shine", "strength": 0.5}],
    }
    claims = said(merge(recipe))
    assert [claim.kind for claim in claims] == [Kind.OTHER, Kind.LORA]
    assert "lengths" in claims[0].detail
    assert len(claims[0].parents) == 3


def test_an_unknown_tool_is_named_with_its_models() -> None:
    (claim,) = said(merge({"type": "violet-model-merge", "alpha": 0.5}))
    assert claim.kind == Kind.OTHER
    assert "violet-model-merge" in claim.detail
    assert len(claim.parents) == 3


def test_a_recipe_in_no_form_is_told_once() -> None:
    (claim,) = said({"sd_merge_recipe": "{", "sd_merge_models": "["})
    assert claim.kind == Kind.OTHER


def test_format_alone_claims_nothing() -> None:
    assert said({"format": "pt"}) == []
    assert SD1.denoiser == "unet"
