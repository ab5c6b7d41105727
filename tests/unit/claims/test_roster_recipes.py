"""A roster's recipes are claims, in the forms that are known; others are told in words."""

from __future__ import annotations

from typing import Any

import pytest

from atlas.basis.shipped import load
from atlas.claims.claim import Kind
from atlas.claims.collecting import Believed, Subject, collected, warnings_of
from atlas.claims.roster_recipes import base_claims, recipe_claims
from said_in_files import SD1, sums


def test_a_base_is_a_fine_tune() -> None:
    (claim,) = base_claims("a")
    assert (claim.kind, claim.parents[0].name) == (Kind.FINE_TUNE, "a")
    assert base_claims(None) == recipe_claims(None, SD1) == []


def test_weighted_parents() -> None:
    (claim,) = recipe_claims({"kind": "weighted", "parents": {"a": 0.7, "b": 0.3}}, SD1)
    assert sums([claim]) == {("*", "*"): {"a": 0.7, "b": 0.3}}


def test_ratios_by_block_weigh_the_second_parent() -> None:
    ratios = {"IN00": 0.25, "MID": 1, "outside": 0.5}
    recipe = {"kind": "block_weighted", "parents": ["a", "b"], "ratios": ratios}
    found = sums(recipe_claims(recipe, SD1))
    assert found["unet", "IN00"] == {"a": 0.75, "b": 0.25}
    assert found["unet", "MID"] == {"b": 1.0}
    assert found["vae", "*"] == found["unet", "time_embedding"] == {"a": 0.5, "b": 0.5}


def test_add_difference() -> None:
    recipe = {"kind": "add_difference", "base": "a", "plus": "b", "minus": "c", "alpha": 0.8}
    (claim,) = recipe_claims(recipe, SD1)
    assert sums([claim]) == {("*", "*"): {"a": 1.0, "b": 0.8, "c": -0.8}}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cast", Kind.CAST),
        ("copy", Kind.COPY),
        ("prune", Kind.PRUNE),
        ("renamed", Kind.RENAME),
        ("average", Kind.OTHER),
        ("finetune", Kind.FINE_TUNE),
    ],
)
def test_kinds_of_one_parent(kind: str, expected: Kind) -> None:
    (claim,) = recipe_claims({"kind": kind, "of": "a"}, SD1)
    assert (claim.kind, claim.parents[0].name) == (expected, "a")


def test_what_was_not_trained_is_a_copy() -> None:
    claims = recipe_claims({"kind": "finetune", "of": "a", "component": "vae"}, SD1)
    assert [(claim.component, claim.kind) for claim in claims] == [
        ("vae", Kind.FINE_TUNE),
        ("text_encoder", Kind.COPY),
        ("unet", Kind.COPY),
    ]


def test_an_extract_is_a_component() -> None:
    (claim,) = recipe_claims({"kind": "extract", "of": "a", "component": "vae"}, SD1)
    assert (claim.kind, claim.component) == (Kind.COMPONENT_OF, "vae")


@pytest.mark.parametrize(
    "recipe",
    [
        {"kind": "soup", "parents": ["a", "b"]},
        {"kind": "weighted", "parents": {"a": "some", "b": 0.5}},
        {"kind": "block_weighted", "parents": ["a", "b"]},
        {"kind": "add_difference", "base": "a", "plus": "b"},
        {"kind": 3, "of": "a", "base": "b"},
    ],
)
def test_other_forms_are_told_in_words(recipe: dict[str, Any]) -> None:
    (claim,) = recipe_claims(recipe, SD1)
    assert claim.kind == Kind.OTHER
    assert "not checked" in claim.detail
    assert [parent.name for parent in claim.parents] == ["a", "b"]


def test_an_unknown_id_is_told_with_the_nearest() -> None:
    told = Believed("m", "m", "m", recipe={"kind": "copy", "of": "digit"})
    claims = collected([Subject(told)], [Believed("digits", "digits", "d")])
    (claim,) = claims["m"]
    assert claim.detail == "there is no model digit; did you mean digits?"
    assert claim.parents[0].model == ""
    assert warnings_of(claims) == [f"m, roster recipe: {claim.detail}"]


def test_a_model_is_not_made_from_itself() -> None:
    claims = collected([Subject(Believed("m", "m", "m", base="m"))])
    assert warnings_of(claims) == ["m, roster base: m is the model itself"]


def test_all_recipes_of_the_demo_are_read() -> None:
    entries = load("roster")["models"]
    believed = [
        Believed(name, name, entry["path"], entry.get("base"), entry.get("recipe"))
        for name, entry in entries.items()
    ]
    claims = collected([Subject(each, held=SD1) for each in believed])
    for each in believed:
        found = claims[each.id]
        assert bool(found) == bool(each.base or each.recipe)
        assert all(parent.model for claim in found for parent in claim.parents)
    unchecked = {model for model in claims for claim in claims[model] if claim.kind == Kind.OTHER}
    assert unchecked == {"digits", "digits-exchanged"}
