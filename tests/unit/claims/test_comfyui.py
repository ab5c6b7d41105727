"""ComfyUI's graphs are walked from what saves to what loads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atlas.claims.claim import Claim, Held, Kind
from atlas.claims.comfy_ratios import ratio_of
from said_in_files import FLUX, SD1, SDXL, said, sums


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


LOADED = {
    "4": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
    "5": node("CheckpointLoaderSimple", ckpt_name="b.safetensors"),
}
SAVE = node("CheckpointSave", model=["9", 0], clip=["4", 1], vae=["5", 2], filename_prefix="m")


def claimed(held: Held = SD1, *, name: str = "m.safetensors", **nodes: Any) -> list[Claim]:
    graph = LOADED | {"12": SAVE} | {key.strip("n"): each for key, each in nodes.items()}
    return said({"prompt": json.dumps(graph), "workflow": "{}"}, held, name=name)


def test_the_ratio_weighs_model1_and_wires_are_components() -> None:
    claims = claimed(n9=node("ModelMergeSimple", model1=["4", 0], model2=["5", 0], ratio=0.7))
    assert sums(claims) == {
        ("unet", "*"): {"a": 0.7, "b": 0.3},
        ("text_encoder", "*"): {"a": 1.0},
        ("vae", "*"): {"b": 1.0},
    }
    assert [claim.kind for claim in claims] == [
        Kind.WEIGHTED_SUM,
        Kind.COMPONENT_OF,
        Kind.COMPONENT_OF,
    ]


def test_blocks_take_the_ratio_of_the_longest_name() -> None:
    merged = node("ModelMergeBlocks", model1=["4", 0], model2=["5", 0], input=1, middle=0.5, out=0)
    found = sums(claimed(n9=merged))
    assert found["unet", "IN11"] == found["unet", "time_embedding"] == {"a": 1.0}
    assert found["unet", "MID"] == {"a": 0.5, "b": 0.5}
    assert found["unet", "OUT00"] == found["unet", "conv_out"] == {"b": 1.0}


def test_of_names_that_fit_the_longest_counts() -> None:
    ratios = {"input_blocks.1": 0.1, "input_blocks.10": 0.7, "input_blocks.": 0.4}
    assert ratio_of("IN10", ratios, SD1) == 0.7
    assert ratio_of("IN11", ratios, SD1) == ratio_of("IN01", ratios, SD1) == 0.1
    assert ratio_of("IN02", ratios, SD1) == 0.4


def test_nodes_of_one_architecture_have_a_ratio_for_each_beginning() -> None:
    ratios = {
        "time_embed.": 0.9,
        "label_emb.": 0.8,
        **{f"input_blocks.{number}": number / 10 for number in range(9)},
        **{f"middle_block.{number}": 0.5 for number in range(3)},
        **{f"output_blocks.{number}": 0.25 for number in range(9)},
        "out.": 0.1,
    }
    merged = node("ModelMergeSDXL", model1=["4", 0], model2=["5", 0], **ratios)
    found = sums(claimed(SDXL, n9=merged))
    assert found["unet", "time_embedding"]["a"] == 0.9
    assert found["unet", "add_embedding"]["a"] == 0.8
    assert found["unet", "IN01"]["a"] == 0.1
    assert found["unet", "MID"]["a"] == 0.5
    assert found["unet", "OUT08"]["a"] == 0.25
    assert found["unet", "conv_out"]["a"] == 0.1
    # two text encoders on one wire
    assert found["text_encoder", "*"] == found["text_encoder_2", "*"] == {"a": 1.0}


def test_parts_of_a_block_with_several_ratios_have_none() -> None:
    ratios = {"middle_block.0.": 0.1, "middle_block.1.": 0.2}
    assert ratio_of("MID", ratios, SD1) is None
    assert ratio_of("MID", dict.fromkeys(ratios, 0.1), SD1) == 0.1


def test_blocks_of_transformers() -> None:
    ratios = {"img_in.": 0.9, "double_blocks.3.": 0.3, "single_blocks.30.": 0.2, "final_layer.": 1}
    assert ratio_of("transformer_blocks.3", ratios, FLUX) == 0.3
    assert ratio_of("single_transformer_blocks.30", ratios, FLUX) == 0.2
    assert ratio_of("single_transformer_blocks.3", ratios, FLUX) == 0.9
    assert ratio_of("norm_out", ratios, FLUX) == 1


def test_differences_are_added() -> None:
    found = sums(
        claimed(
            n6=node("CheckpointLoaderSimple", ckpt_name="c.safetensors"),
            n7=node("ModelMergeSubtract", model1=["5", 0], model2=["6", 0], multiplier=0.5),
            n9=node("ModelMergeAdd", model1=["4", 0], model2=["7", 0]),
        )
    )
    assert found["unet", "*"] == {"a": 1.0, "b": 0.5, "c": -0.5}


def test_text_encoders_are_merged_too() -> None:
    saved = SAVE | {"inputs": SAVE["inputs"] | {"clip": ["8", 0], "model": ["4", 0]}}
    merged = node("CLIPMergeSimple", clip1=["4", 1], clip2=["5", 1], ratio=0.25)
    found = sums(claimed(n8=merged, n12=saved))
    assert found["text_encoder", "*"] == {"a": 0.25, "b": 0.75}


def test_a_lora_is_baked_in() -> None:
    lora = node(
        "LoraLoader",
        model=["4", 0],
        clip=["4", 1],
        lora_name="shine.safetensors",
        strength_model=0.5,
        strength_clip=0,
    )
    claims = claimed(n9=lora)
    (baked,) = [claim for claim in claims if claim.component == "unet"]
    assert baked.kind == Kind.LORA
    assert [(parent.name, parent.weight) for parent in baked.parents] == [
        ("a.safetensors", 1.0),
        ("shine.safetensors", 0.5),
    ]
    # a strength of 0 leaves the text encoder as it was
    assert sums(claims)["text_encoder", "*"] == {"a": 1.0}


def test_nodes_that_only_change_the_run_are_passed_through() -> None:
    found = sums(claimed(n9=node("ModelSamplingDiscrete", model=["5", 0], sampling="v_prediction")))
    assert found["unet", "*"] == {"b": 1.0}


def test_unknown_nodes_are_named() -> None:
    claims = claimed(n9=node("MyMagicMerge", model_a=["4", 0], model_b=["5", 0], power=3))
    (unet,) = [claim for claim in claims if claim.component == "unet"]
    assert unet.kind == Kind.OTHER
    assert "MyMagicMerge" in unet.detail
    assert {parent.name for parent in unet.parents} == {"a.safetensors", "b.safetensors"}


def test_files_of_single_components() -> None:
    graph = {
        "1": node("UNETLoader", unet_name="u.safetensors"),
        "2": node("DualCLIPLoader", clip_name1="l.safetensors", clip_name2="g.safetensors"),
        "3": node("VAELoader", vae_name="v.safetensors"),
        "4": node("CheckpointSave", model=["1", 0], clip=["2", 0], vae=["3", 0]),
    }
    assert sums(said({"prompt": json.dumps(graph)}, SDXL)) == {
        ("unet", "*"): {"u": 1.0},
        ("text_encoder", "*"): {"l": 1.0},
        ("text_encoder_2", "*"): {"g": 1.0},
        ("vae", "*"): {"v": 1.0},
    }


def test_the_saver_of_the_files_name_is_taken() -> None:
    other = node("ModelSave", model=["5", 0], filename_prefix="models/other")
    merged = node("ModelMergeSimple", model1=["4", 0], model2=["5", 0], ratio=1)
    found = claimed(name="other_00001_.safetensors", n9=merged, n13=other)
    assert sums(found) == {("unet", "*"): {"b": 1.0}}
    assert ("vae", "*") in sums(claimed(n9=merged, n13=other))


@pytest.mark.parametrize(
    "nine",
    [
        node("ModelMergeSimple", model1=["9", 0], model2=["5", 0], ratio=0.5),
        node("Reroute", model=["99", 0]),
        node("ModelMergeSimple", model1=["4", 0], model2=["5", 0], ratio="x"),
    ],
    ids=["circle", "nowhere", "no number"],
)
def test_circles_and_loose_ends_are_no_sums(nine: dict[str, Any]) -> None:
    (unet,) = [claim for claim in claimed(n9=nine) if claim.component == "unet"]
    assert unet.kind == Kind.OTHER


def test_a_long_row_of_nodes_ends() -> None:
    row = {f"n{number}": node("Reroute", model=[str(number + 1), 0]) for number in range(20, 3000)}
    (unet,) = [
        claim
        for claim in claimed(n9=node("Reroute", model=["20", 0]), **row)
        if claim.component == "unet"
    ]
    assert unet.kind == Kind.OTHER


def test_the_editors_graph_names_files_alone() -> None:
    graph = {"nodes": [{"type": "X", "widgets_values": ["a.safetensors", 3]}, {"type": "Y"}]}
    (claim,) = said({"workflow": json.dumps(graph)})
    assert claim.kind == Kind.OTHER
    assert [parent.name for parent in claim.parents] == ["a.safetensors"]


def test_a_graph_that_saves_nothing() -> None:
    (claim,) = said({"prompt": json.dumps(LOADED)})
    assert claim.kind == Kind.OTHER
