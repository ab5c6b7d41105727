"""Families of equal components, and who is next to which."""

import numpy as np
import pandas as pd
import pytest

import factory
from atlas.plots import sharing
from atlas.relations import families, identity
from atlas.relations.families import Standing

BASE = factory.weights(seed=1)


@pytest.fixture
def table(lay_side_by_side) -> pd.DataFrame:
    """Identity of a base, two copies, a rounded one, one half changed, one of its own."""
    models = {
        "base": BASE,
        "copy": dict(BASE),
        "other": factory.weights(seed=2),
        "rounded": {name: value.astype(np.float16) for name, value in BASE.items()},
        "tuned": factory.changed(BASE, 3, "vae/decoder"),
        "vae": {name: value for name, value in BASE.items() if name.startswith("vae")},
    }
    return identity.table(lay_side_by_side(models))


ORDER = ["tuned", "other", "base", "rounded", "copy", "vae"]


def of(table: pd.DataFrame, component: str) -> dict[str, Standing]:
    return families.standings(table[table["component"] == component], ORDER)


def test_members_share_a_letter_and_the_others_stand_next_to_it(table):
    found = of(table, "vae")
    assert found["base"] == found["copy"] == found["vae"] == Standing("A", 1.0, False)
    assert found["rounded"] == Standing("A", 1.0, True)
    assert found["tuned"] == Standing("A", pytest.approx(1 / 3), False)
    assert found["other"] == Standing(None, 1.0, False)


def test_a_model_without_the_component_has_no_place(table):
    assert set(of(table, "unet")) == set(ORDER) - {"vae"}
    assert families.holders(table[table["component"] == "unet"]) == set(ORDER) - {"vae"}


def test_two_that_are_alike_and_in_no_family_make_one(lay_side_by_side):
    models = {"a": BASE, "b": factory.changed(BASE, 2, "unet/conv_in"), "c": factory.weights(9)}
    found = of_models(identity.table(lay_side_by_side(models)), ["b", "a", "c"])
    assert found["b"] == Standing("A", 1.0, False), "the earlier of the roster leads"
    assert found["a"] == Standing("A", pytest.approx(4 / 6), False)
    assert found["c"].family is None


def of_models(table: pd.DataFrame, order: list[str]) -> dict[str, Standing]:
    return families.standings(table[table["component"] == "unet"], order)


def pair(a: str, b: str, same: int, *, cast: int = 0) -> dict:
    """Return the identity table's row of two models that share some of a hundred tensors."""
    counts = {"identical_tensors": same, "cast_tensors": cast, "tensors": 100}
    verdict = "identical" if same == 100 else "partly changed"
    return {"a": a, "b": b, "verdict": verdict} | counts


@pytest.mark.parametrize(
    ("same", "cast", "place"),
    [
        (4, 0, Standing(None, 1.0, False)),
        (5, 0, Standing("A", 0.05, False)),
        (2, 3, Standing("A", 0.05, False)),
        (15, 0, Standing("A", 0.15, False)),
    ],
)
def test_few_equal_tensors_make_no_neighbour(same, cast, place):
    found = families.standings(pd.DataFrame([pair("a", "b", same, cast=cast)]), ["a", "b"])
    assert found["b"] == place


def test_a_model_stands_next_to_the_one_that_it_shares_most_with():
    rows = [pair("a", "b", 0), pair("a", "c", 30), pair("b", "c", 60)]
    found = families.standings(pd.DataFrame(rows), ["a", "b", "c"])
    assert found["c"] == Standing("A", 0.6, False)
    assert (found["a"].family, found["b"].family) == (None, "A")


def test_of_two_that_it_shares_as_much_with_the_earlier_one_counts():
    rows = [pair("a", "b", 0), pair("a", "c", 40), pair("b", "c", 40)]
    found = families.standings(pd.DataFrame(rows), ["a", "b", "c"])
    assert (found["a"].family, found["b"].family, found["c"].family) == ("A", None, "A")


def test_families_come_in_order_of_size():
    rows = [pair(a, b, 100) for a, b in ("ab", "cd", "ce", "de")]
    assert families.families(pd.DataFrame(rows)) == [["c", "d", "e"], ["a", "b"]]


def test_letters_go_on_after_z():
    letters = [families.letter_of(number) for number in (0, 25, 26, 27, 52, 702)]
    assert letters == ["A", "Z", "AA", "AB", "BA", "AAA"]


def test_the_picture_has_a_cell_for_every_model_and_component(table):
    figure = sharing.draw(table, group="g", models=ORDER, labels={"base": "Base"}, base="base")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "UNet: 3 of 6 models have the same weights" in texts
    assert texts.count("own") == 3, "the other model, in three components"
    assert "A 33 %" in texts
    assert texts.count("A ≈") == 3
    assert {"Base", "UNet", "VAE", "Text encoder"} <= set(texts)


def test_models_are_sorted_by_what_some_of_them_share(table):
    found = {each.kind: dict(each.of) for each in families.classes(table, ORDER)}
    assert found["vae"] == dict.fromkeys(["base", "copy", "vae", "rounded"], "A")
    assert found["unet"] == dict.fromkeys(["base", "copy", "tuned", "rounded"], "A")


def test_what_all_share_or_none_sorts_no_models():
    rows = [pair(a, b, 100) | {"component": "vae"} for a, b in ("ab", "ac", "bc")]
    rows += [pair(a, b, 0) | {"component": "unet"} for a, b in ("ab", "ac", "bc")]
    assert families.classes(pd.DataFrame(rows), list("abc")) == []
