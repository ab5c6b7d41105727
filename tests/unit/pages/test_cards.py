"""Cards of models and what they are filtered by, from the group's tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from atlas.pages import cards
from atlas.pages.atlas_page import BROKEN, REMARKED, SOUND, Card, Claimed, Facet
from atlas.relations.families import Standing

TABLE = pd.DataFrame(
    [
        ["a", "unet", "sd15", "f16 f32", 686, 859, 1718, 2000, None, None],
        ["a", "vae", "sd15", "f32", 248, 84, 336, 2000, None, None],
        ["b", "unet", "sd15", "bf16", 686, 859, 1718, 1900, None, None],
        ["c", None, None, None, np.nan, np.nan, np.nan, np.nan, "c.safetensors: cut off", None],
        ["d", "unet", None, None, np.nan, np.nan, np.nan, 500, None, "codes of a quantisation"],
    ],
    columns=[
        "model", "component", "architecture", "dtype", "tensors", "parameters", "bytes",
        "file_bytes", "problem", "refused",
    ],
)  # fmt: skip
NOTICED = {"a": [], "b": ["holds a UNet, but no VAE"], "c": ["c.safetensors: cut off"], "d": []}
PLACES = {
    "unet": {"a": Standing("A", 1.0, False), "b": Standing("A", 0.84, False)},
    "vae": {"a": Standing(None, 0.0, False)},
}
ROSTER = {
    model: {
        "path": f"models/{model}.safetensors",
        "tags": [model, "all"],
        "base": None,
        "recipe": None,
    }
    for model in "abcd"
}


def made():
    return cards.cards(TABLE, NOTICED, PLACES, ROSTER, pages="../../models")


def test_a_card_has_the_numbers_of_the_table():
    card = made()["a"]
    assert [(part.component, part.tensors, part.parameters) for part in card.parts] == [
        ("unet", 686, 859),
        ("vae", 248, 84),
    ]
    assert card.bytes == 1718 + 336
    assert card.file_bytes == 2000
    assert [part.family for part in card.parts] == ["A", "own"]
    assert card.page == "../../models/a.html"
    assert card.health == SOUND


def test_what_is_wrong_is_told_once_and_marks_the_health():
    told = made()
    assert told["b"].health == REMARKED
    assert told["b"].parts[0].family == "A 84 %"
    assert told["c"].health == BROKEN
    assert told["c"].problem == "c.safetensors: cut off"
    assert not told["c"].findings
    assert not told["c"].parts
    assert told["d"].parts[0].refused


def test_a_model_that_no_table_knows_has_what_the_roster_says():
    roster = ROSTER | {"e": {"path": "e.ckpt", "tags": [], "base": "a", "recipe": None}}
    card = cards.cards(TABLE, NOTICED, PLACES, roster, pages="..")["e"]
    assert (card.path, card.claim, card.health) == ("e.ckpt", "from a", SOUND)


def test_claims_tell_parents_and_weights():
    assert cards.claim({"recipe": {"kind": "finetune", "of": "a", "steps": 12}}) == "fine-tune of a"
    merged = {"kind": "block_weighted", "parents": ["a", "b"], "ratios": {}}
    assert cards.claim({"recipe": merged}) == "merge by block of a, b"
    assert cards.claim({}) == ""


def test_facets_that_tell_no_two_apart_are_left_out():
    names = [facet.name for facet in cards.facets(made(), PLACES, "unet", TABLE)]
    assert "family.vae" not in names  # nobody shares one
    assert "architecture" in names
    facets = {facet.name: facet for facet in cards.facets(made(), PLACES, "unet", TABLE)}
    assert facets["dtype"].of == {"a": ["f16"], "b": ["bf16"], "c": [], "d": []}
    assert facets["tag"].of == {"a": ["a"], "b": ["b"], "c": ["c"], "d": ["d"]}
    assert facets["tags"].of["a"] == ["a", "all"]


def test_values_stand_in_their_order_and_the_rest_behind_them():
    facet = Facet(
        "x", "x", {"a": ["two"], "b": ["one"], "c": ["four"], "d": ["four"]}, order=["one"]
    )
    assert facet.categories() == ["one", "four", "two"]


def test_recipes_come_onto_the_cards_of_those_that_have_one_and_are_filtered_by():
    blank = {"a": Card(path="a.ckpt"), "b": Card(), "c": Card()}
    claim = {"source": "roster recipe", "what": "copy of a", "answer": "agrees", "words": "a"}
    told = {
        "a": {"kind": "no recipe", "recipe": [], "baked": [], "claims": []},
        "b": {
            "kind": "merge",
            "recipe": [{"of": "UNet", "text": "0.5 × a + 0.5 × c"}],
            "baked": ["LoRA of rank 8"],
            "claims": [claim],
        },
    }
    found = cards.with_recipes(blank, told)
    assert list(found) == list(blank)
    assert found["a"].path == "a.ckpt"
    assert found["c"].recipe is None
    recipe = found["b"].recipe
    assert recipe.parts == [("UNet", "0.5 × a + 0.5 × c")]
    assert recipe.baked == ["LoRA of rank 8"]
    assert recipe.claims == [Claimed(**claim)]
    facet = cards.recipe_facet(found)
    assert dict(facet.of) == {"a": ["no recipe"], "b": ["merge"], "c": []}
