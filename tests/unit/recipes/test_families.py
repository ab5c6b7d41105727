"""Who holds the same in a component, or the same rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ml_dtypes
import numpy as np

import factory
from atlas.recipes.families import families
from atlas.relations.contents import Contents

BASE = factory.weights(seed=1)
OTHER = factory.changed(BASE, 2, "unet/")
HALF = {name: value.astype(np.float16) for name, value in BASE.items()}
MODELS = {
    "b-base": BASE,
    "a-half": HALF,
    "c-copy": dict(BASE),
    "d-other": OTHER,
    "e-half-copy": dict(HALF),
    "f-alone": {name: value for name, value in OTHER.items() if name.startswith("vae/")},
}


def test_copies_and_casts(lay_side_by_side: Callable[[Mapping], Contents]) -> None:
    held = lay_side_by_side(MODELS)
    place = {model: at for at, model in enumerate(held.models)}
    found = families(held, "unet")
    assert [held.models[each] for each in found.leaders] == ["b-base", "d-other"]
    assert found.same[place["c-copy"]] == place["b-base"]
    assert found.same[place["e-half-copy"]] == place["a-half"]
    assert found.source[place["a-half"]] == found.source[place["e-half-copy"]] == place["b-base"]
    assert place["b-base"] not in found.source
    assert [held.models[each] for each in found.alike(place["b-base"])] == [
        "a-half", "c-copy", "e-half-copy",
    ]  # fmt: skip
    assert place["f-alone"] not in found.holders


def test_equal_components_are_one(lay_side_by_side: Callable[[Mapping], Contents]) -> None:
    held = lay_side_by_side(MODELS)
    found = families(held, "vae")
    assert [held.models[each] for each in found.leaders] == ["b-base"]
    assert {held.models[each] for each in found.holders} == set(MODELS)


def test_two_roundings_without_their_source(
    lay_side_by_side: Callable[[Mapping], Contents],
) -> None:
    brain = {name: value.astype(np.float16) for name, value in OTHER.items()}
    eighth = {
        name: value.astype(ml_dtypes.bfloat16).astype(np.float32) for name, value in OTHER.items()
    }
    held = lay_side_by_side({"x": brain, "y": eighth})
    assert len(families(held, "unet").leaders) == 2
