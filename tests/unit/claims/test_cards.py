"""Documents beside weights name bases, and mergekit's settings weights."""

from __future__ import annotations

import pytest

from atlas.claims.claim import Kind
from atlas.claims.writers import claims_in
from atlas.tensors.tensors import FileMetadata
from said_in_files import SD1, said, sums

LINEAR = """
models:
  - model: owner/a
    parameters: {weight: 3}
  - model: owner/b
    parameters: {weight: 1}
merge_method: linear
dtype: float16
"""


def test_modelspec_names_titles() -> None:
    (claim,) = said({"modelspec.merged_from": "A One, B Two", "modelspec.title": "M"})
    assert claim.kind == Kind.WEIGHTED_SUM
    assert [(parent.name, parent.weight) for parent in claim.parents] == [
        ("A One", None),
        ("B Two", None),
    ]
    assert said({"modelspec.title": "M"}) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("base_model: owner/a\nbase_model_relation: finetune", Kind.FINE_TUNE),
        ("base_model: [owner/a, owner/b]", Kind.WEIGHTED_SUM),
        ("base_model:\n- owner/a\nbase_model_relation: quantized", Kind.CAST),
        ("base_model: owner/a\nbase_model_relation: adapter", Kind.LORA),
        ("base_model: owner/a", Kind.FINE_TUNE),
    ],
)
def test_a_card_names_its_base(text: str, kind: Kind) -> None:
    (claim,) = said({"front_matter": text})
    assert claim.kind == kind
    assert claim.parents[0].name == "owner/a"


@pytest.mark.parametrize(
    "text",
    [
        "tags: [a]",
        "base_model:",
        "a: b: c",
        "- list",
        "a: &x [1]\nbase_model: *x",
        "[" * 5000,
        "!!python/object/apply:os.system [ls]",
    ],
)
def test_a_card_without_a_base_claims_nothing(text: str) -> None:
    assert said({"front_matter": text}) == []


def test_a_configuration_tells_from_where_a_component_was_loaded() -> None:
    metadata = [
        FileMetadata("unet/config.json", "unet", {"_name_or_path": "/home/me/model-a/unet"}),
        FileMetadata("vae/config.json", "vae", {"_name_or_path": "owner/vae-b"}),
        FileMetadata("model_index.json", "", {"_name_or_path": "owner/a", "_class_name": "X"}),
    ]
    claims = claims_in(metadata, SD1)
    assert [(claim.component, claim.parents[0].name) for claim in claims] == [
        ("unet", "/home/me/model-a"),
        ("vae", "owner/vae-b"),
        ("*", "owner/a"),
    ]


def test_mergekits_linear_weights_are_normalised() -> None:
    (claim,) = said({"mergekit_config.yml": LINEAR})
    assert sums([claim]) == {("*", "*"): {"owner/a": 0.75, "owner/b": 0.25}}
    (claim,) = said({"mergekit_config.yml": f"{LINEAR}\nparameters: {{normalize: false}}"})
    assert sums([claim]) == {("*", "*"): {"owner/a": 3.0, "owner/b": 1.0}}


def test_mergekits_task_arithmetic_is_relative_to_its_base() -> None:
    text = LINEAR.replace("linear", "task_arithmetic") + "base_model: owner/base"
    (claim,) = said({"mergekit_config.yml": text})
    assert sums([claim]) == {("*", "*"): {"owner/base": -3.0, "owner/a": 3.0, "owner/b": 1.0}}


@pytest.mark.parametrize("method", ["ties", "slerp", "dare_ties", "passthrough"])
def test_mergekits_other_methods_are_named(method: str) -> None:
    (claim,) = said({"mergekit_config.yml": LINEAR.replace("linear", method)})
    assert claim.kind == Kind.OTHER
    assert method in claim.detail


def test_weights_by_layer_are_no_sum() -> None:
    (claim,) = said({"mergekit_config.yml": LINEAR.replace("weight: 3", "weight: [0, 1]")})
    assert claim.kind == Kind.OTHER
