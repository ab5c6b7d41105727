"""sd-mecha's recipes are worked out to weights, node by node."""

from __future__ import annotations

import pytest

from atlas.claims.claim import Held, Kind
from atlas.claims.mecha_text import MOST_NODES, Reference, UnreadableRecipeError, nodes_of
from said_in_files import SD1, SDXL, said, sums

MODELS = """version 0.1.0
model "/path/a.safetensors" model_config="sd1-ldm" merge_space="weight"
model "/path/b.safetensors" model_config="sd1-ldm" merge_space="weight"
model "/path/c.safetensors" model_config="sd1-ldm" merge_space="weight"
"""


def worked_out(lines: str, held: Held = SD1) -> dict[tuple[str, str], dict[str, float | None]]:
    claims = said({"mecha_recipe": MODELS + lines}, held)
    return {
        part: {name.removeprefix("/path/"): weight for name, weight in parents.items()}
        for part, parents in sums(claims).items()
    }


def test_a_weighted_sum_as_it_is_printed() -> None:
    lines = """dict key=0.3
literal &3 model_config="singleton-mecha" merge_space="param"
merge "convert_singleton" &4
merge "weighted_sum" &0 &1 &5"""
    assert worked_out(lines) == {("*", "*"): {"a": 0.7, "b": 0.3}}


def test_numbers_may_stand_as_arguments() -> None:
    whole = ("*", "*")
    assert worked_out('merge "weighted_sum" &0 &1 0.3')[whole] == {"a": 0.7, "b": 0.3}
    assert worked_out('merge "weighted_sum" &0 &1 alpha=0.3')[whole] == {"a": 0.7, "b": 0.3}
    assert worked_out('merge "weighted_sum" a=&0 b=&1')[whole] == {"a": 0.5, "b": 0.5}


def test_an_add_difference_as_it_is_printed() -> None:
    lines = """merge "subtract" &1 &2
dict key=0.8
literal &4 model_config="singleton-mecha" merge_space="param"
merge "convert_singleton" &5
merge "add_difference" &0 &3 &6
merge "fallback" &7 &0"""
    assert worked_out(lines) == {("*", "*"): {"a": 1.0, "b": 0.8, "c": -0.8}}


def test_a_merge_by_block_counts_the_time_with_base() -> None:
    lines = """dict BASE=0.1 IN00=0.13 M00=0.49 OUT11=0.85
literal &3 model_config="sd1-supermerger_blocks" merge_space="param"
merge "convert_sd1_blocks_to_ldm" &4
merge "weighted_sum" &0 &1 &5"""
    found = worked_out(lines)
    assert found["unet", "IN00"] == {"a": 0.87, "b": 0.13}
    assert found["unet", "MID"] == {"a": 0.51, "b": 0.49}
    assert found["unet", "OUT11"] == found["unet", "conv_out"] == {"a": 0.15, "b": 0.85}
    assert found["unet", "time_embedding"] == found["vae", "*"] == {"a": 0.9, "b": 0.1}
    # what the recipe does not tell is no number
    assert found["unet", "IN05"] == {"a": None, "b": None}


def test_an_average_and_a_chain() -> None:
    third = 0.333333333333
    assert worked_out('merge "n_average" &0 &1 &2')["*", "*"] == dict.fromkeys("abc", third)
    lines = """merge "weighted_sum" &0 &1 0.5
merge "weighted_sum" &3 &2 0.2"""
    assert worked_out(lines)["*", "*"] == {"a": 0.4, "b": 0.4, "c": 0.2}
    assert worked_out('merge "scale" &0 0.5\nmerge "add_difference" &1 &3')["*", "*"] == {
        "b": 1.0,
        "a": 0.5,
    }


def test_parts_may_come_from_several_models() -> None:
    lines = """merge "omit_component" &0 "vae"
merge "fallback" &3 &1"""
    assert worked_out(lines) == {
        ("unet", "*"): {"a": 1.0},
        ("text_encoder", "*"): {"a": 1.0},
        ("vae", "*"): {"b": 1.0},
    }
    lines = """dict key="clip_g"
literal &3 model_config="singleton-mecha" merge_space="param"
merge "convert_singleton" &4
merge "pick_component" &0 &5
merge "fallback" &6 &1"""
    found = worked_out(lines, SDXL)
    assert found["text_encoder_2", "*"] == {"a": 1.0}
    assert found["text_encoder", "*"] == {"b": 1.0}


def test_other_methods_are_named() -> None:
    (claim,) = said({"mecha_recipe": f'{MODELS}merge "slerp" &0 &1 0.4'})
    assert claim.kind == Kind.OTHER
    assert claim.detail == "slerp"
    assert [parent.name for parent in claim.parents] == [
        "/path/a.safetensors",
        "/path/b.safetensors",
    ]


def test_quotes_and_spaces_in_names() -> None:
    (node,) = nodes_of('version 0.1.0\nmodel "C:\\\\my \\"best\\" = 1.safetensors" x=null')
    assert node.arguments == ('C:\\my "best" = 1.safetensors',)
    assert node.named == {"x": None}


@pytest.mark.parametrize(
    "lines",
    [
        "model",
        "run &0",
        'merge "weighted_sum" &3',
        'merge "weighted_sum" &-1',
        'model "without end',
        "literal 1e999",
        "literal nan",
    ],
)
def test_what_makes_no_sense_is_told(lines: str) -> None:
    (claim,) = said({"mecha_recipe": MODELS + lines})
    assert claim.kind == Kind.OTHER


def test_other_versions_and_endless_recipes_are_refused() -> None:
    with pytest.raises(UnreadableRecipeError, match="version"):
        nodes_of("version 9")
    with pytest.raises(UnreadableRecipeError, match="more than"):
        nodes_of("version 0.1.0\n" + 'model "a"\n' * (MOST_NODES + 1))


def test_references_lead_back() -> None:
    nodes = nodes_of('version 0.1.0\nmodel "a"\n# a remark\n\nmerge "cast" &0')
    assert nodes[1].arguments == ("cast", Reference(0))
