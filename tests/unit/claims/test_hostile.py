"""Whatever metadata hold, reading them neither raises nor takes long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.checkpoint.metadata import facts
from atlas.claims import table
from atlas.claims.claim import Claim, Held
from atlas.claims.collecting import Believed, Subject, collected
from atlas.fingerprints.provenance import Provenance
from atlas.tensors.tensors import FileMetadata
from said_in_files import SD1, SDXL, A, B, merge, said

KEYS = sorted(
    facts().keys
    | {"modelspec.merged_from", "modelspec.title", "front_matter", "mergekit_config.yml"}
    | {"_name_or_path"}
)
NUMBERS = st.one_of(st.integers(-(10**400), 10**400), st.floats())
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20), st.just(A), st.just(B))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)
TYPES = st.sampled_from(
    [
        "webui",
        "SDNext",
        "sd-webui-supermerger",
        "merge-models-chattiori",
        "sd-model-analyzer",
        "pluslora-chattiori",
        "MergeStudio-AnimaMerge",
        "?",
    ]
)
WORDS = st.sampled_from(["Weighted sum", "Add difference", "sum Twice", "sum", "", "TIES"])
FIELDS = {
    "interp_method": WORDS,
    "merge_mode": WORDS,
    "merge_method": WORDS,
    "mode": st.one_of(WORDS, st.lists(WORDS, max_size=3)),
    "multiplier": PLAIN,
    "alpha": VALUES,
    "alpha_info": VALUES,
    "weights_alpha": st.one_of(st.lists(PLAIN, min_size=25, max_size=26), VALUES),
    "base_alpha": PLAIN,
    "mbw": st.booleans(),
    "primary_model_hash": PLAIN,
    "secondary_model_hash": PLAIN,
    "model_a": PLAIN,
    "model_b": PLAIN,
    "Exclude": VALUES,
    "elemental_merge": VALUES,
    "baked_loras": VALUES,
    "anima_remap": VALUES,
    "lora_hash": PLAIN,
}
NODES = st.dictionaries(
    st.sampled_from("123456"),
    st.fixed_dictionaries(
        {
            "class_type": st.sampled_from(
                [
                    "CheckpointSave",
                    "CheckpointLoaderSimple",
                    "ModelMergeSimple",
                    "ModelMergeBlocks",
                    "ModelMergeSubtract",
                    "LoraLoader",
                    "Reroute",
                    "CLIPMergeAdd",
                    "Strange",
                ]
            ),
            "inputs": st.dictionaries(
                st.sampled_from(
                    [
                        "model",
                        "model1",
                        "model2",
                        "clip",
                        "clip1",
                        "vae",
                        "ckpt_name",
                        "ratio",
                        "input",
                        "multiplier",
                        "lora_name",
                        "strength_model",
                        "input_blocks.1.",
                    ]
                ),
                st.one_of(PLAIN, st.tuples(st.sampled_from("123456"), st.integers(-1, 3))),
            ),
        }
    ),
)
MECHA_WORDS = st.sampled_from(
    [
        "model",
        "merge",
        "dict",
        "literal",
        '"weighted_sum"',
        '"add_difference"',
        '"fallback"',
        "&0",
        "&1",
        "&2",
        "&99999999999",
        '"a"',
        '"',
        "=",
        "key=0.5",
        "IN00=0.1",
        "1e999",
        "-3",
        "null",
    ]
)


def rows(claims: list[Claim]) -> str:
    """Return the claims as a table, which is made to be written to a file."""
    text = table.as_csv({"m": claims})
    text.encode()
    assert len(text.splitlines()) == 1 + sum(max(len(claim.parents), 1) for claim in claims)
    return text


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.one_of(st.text(), VALUES.map(json.dumps))))
def test_any_texts(texts: dict[str, str]) -> None:
    provenance = Provenance((), (FileMetadata("m", texts=texts),))
    rows(collected([Subject.of(Believed("m", "m", "m"), provenance, SD1)])["m"])


@settings(max_examples=150, deadline=None)
@given(TYPES, st.fixed_dictionaries({}, optional=FIELDS), st.integers(1, 3))
def test_any_recipe(kind: str, recipe: dict[str, Any], times: int) -> None:
    assert rows(said(merge({"type": kind} | recipe, times=times), SDXL))


@settings(max_examples=150, deadline=None)
@given(NODES)
def test_any_graph(nodes: dict[str, Any]) -> None:
    assert rows(said({"prompt": json.dumps(nodes)}))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(MECHA_WORDS, max_size=6).map(" ".join), max_size=8))
def test_any_nodes(lines: list[str]) -> None:
    assert rows(said({"mecha_recipe": "\n".join(["version 0.1.0", *lines])}))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "9" * 100_000, '"' * 100_000, "1e400", "\x00", "\ud800", ""],
    ids=["lists", "tables", "digits", "quotes", "huge", "nul", "surrogate", "empty"],
)
def test_depth_and_size(key: str, text: str) -> None:
    rows(said({key: text}))


def test_nested_recipes_of_parents_are_not_followed() -> None:
    inner: Any = None
    for _ in range(50):
        inner = {A: {"name": "a", "sd_merge_recipe": {"type": "webui"}, "deeper": inner}}
    texts = merge({"type": "webui", "primary_model_hash": A, "interp_method": "No interpolation"})
    claims = said(texts | {"sd_merge_models": json.dumps(inner)})
    assert [parent.name for claim in claims for parent in claim.parents] == ["a"]


def test_sums_that_double_with_each_node_end() -> None:
    lines = ["version 0.1.0", *(f'model "{number}"' for number in range(1000))]
    lines += [f'merge "weighted_sum" &{999 + step} &{step} 0.5' for step in range(990)]
    assert rows(said({"mecha_recipe": "\n".join(lines)}))
    grown = ['model "a"', *(f'merge "add_difference" &{step} &{step} 1000' for step in range(900))]
    (claim,) = said({"mecha_recipe": "\n".join(["version 0.1.0", *grown])}, Held())
    assert "beyond" in claim.detail
