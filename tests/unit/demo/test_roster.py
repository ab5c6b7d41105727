"""The demo's roster says of each relative what its rule needs."""

import re
from itertools import chain
from pathlib import Path

import pytest
import yaml

from atlas.roster import reading
from atlas_demo import facts, recipes

HOME = Path(__file__).parents[3]
ROSTER = reading.load(HOME / "config" / "roster.yaml", home=HOME)
RECIPES = [model.recipe for model in ROSTER.models.values() if model.recipe]
RELATIVES = {
    name: model.recipe
    for name, model in ROSTER.models.items()
    if name.startswith("terrain-") and model.recipe
}


def test_each_kind_of_relative_is_there():
    assert {recipe["kind"] for recipe in RECIPES} == set(recipes.PARENTS)


@pytest.mark.parametrize("model", RELATIVES)
def test_parents_are_made_before_their_relatives(model):
    made = {*facts.terrain()["wheels"], *list(RELATIVES)[: list(RELATIVES).index(model)]}
    assert set(recipes.parents(RELATIVES[model])) <= made


def test_the_merge_by_block_has_a_ratio_for_each_block():
    (recipe,) = (recipe for recipe in RELATIVES.values() if recipe["kind"] == "block_weighted")
    numbers = [f"{number:02d}" for number in range(25)]
    blocks = chain((f"IN{n}" for n in numbers), ["MID"], (f"OUT{n}" for n in numbers), ["outside"])
    assert list(recipe["ratios"]) == list(blocks)
    assert len(set(recipe["ratios"].values())) > 20
    assert all(0 <= ratio <= 1 for ratio in recipe["ratios"].values())


def test_weights_of_merges_sum_to_one():
    for recipe in RELATIVES.values():
        if recipe["kind"] == "weighted":
            assert sum(recipe["parents"].values()) == pytest.approx(1)


def test_the_kinds_of_recipes_are_documented():
    pages = [(HOME / "docs" / f"{name}.md").read_text() for name in ("demo", "demo_digits")]
    documented = re.findall(r"^\| `(\w+)` \|", "\n".join(pages), re.M)
    assert set(recipes.PARENTS) <= set(documented)


def test_networks_are_read_under_names_of_their_own_in_the_shipped_form():
    written = yaml.safe_load((HOME / "config" / "roster.yaml").read_text())
    shipped = {name: entry for name, entry in written["models"].items() if "shipped" in name}
    assert len(shipped) == 2
    assert {entry["architecture"] for entry in shipped.values()} == {"generic"}
