"""Recipes from sketches: right parents and weights, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import factory
from atlas.library.entries import Entry, Part
from atlas.library.gathering import CANDIDATES, Gathered, Told, gather
from atlas.library.index import Index

SHAPES = {f"unet/down_blocks.{n}.resnets.0.conv1.weight": (24, 24, 3, 3) for n in range(4)} | {
    "unet/mid_block.resnets.0.conv1.weight": (24, 24, 3, 3),
    "unet/conv_in.weight": (24, 4, 3, 3),
}
BASE = factory.weights(0, SHAPES)
DTYPES = {"f32": (np.float32, 0.005), "f16": (np.float16, 0.02)}


def tunes(count: int, scale: float = 0.02) -> dict[str, factory.Weights]:
    return {f"t{seed}": factory.changed(BASE, seed + 1, scale=scale) for seed in range(count)}


def merged(dtype: str = "f32", **weights: float) -> factory.Weights:
    """Return a weighted sum of models by name, rounded once."""
    models = {"base": BASE} | tunes(12)
    kind = DTYPES[dtype][0]
    return {
        key: sum(
            weight * models[model][key].astype(np.float64) for model, weight in weights.items()
        ).astype(kind)
        for key in BASE
    }


@pytest.fixture
def gathered(entries_of, entry_of):
    """Return a function: what the UNet of these weights is made of, by a library."""

    def found(weights: factory.Weights, library) -> list[Gathered]:
        return gather(unet(entry_of("target", weights)), Index(entries_of(library)))

    return found


def unet(entry: Entry) -> Part:
    part = entry.part("unet")
    assert part is not None
    return part


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "weights",
    [
        {"t0": 0.7, "t1": 0.3},
        {"t0": 0.5, "t1": 0.3, "t2": 0.2},
        {"t0": 1.0, "t1": 0.8, "base": -0.8},
    ],
    ids=["two", "three", "add difference"],
)
def test_parents_and_weights_are_found_among_decoys(weights, dtype, gathered):
    found = gathered(merged(dtype, **weights), {"base": BASE} | tunes(8))
    assert [each.told for each in found] == [Told.BY_SKETCH]
    told = dict(zip(found[0].parents, found[0].weights or (), strict=True))
    assert told.keys() == weights.keys()
    room = DTYPES[dtype][1]
    assert all(told[name] == pytest.approx(weight, abs=room) for name, weight in weights.items())
    assert set(found[0].blocks) == {"IN00", "IN01", "IN02", "IN03", "IN04", "MID"}


def test_a_fine_tune_has_no_recipe(gathered):
    found = gathered(tunes(12)["t11"], {"base": BASE} | tunes(8))
    assert {each.told for each in found} == {Told.NONE}


def test_a_merge_whose_parent_is_missing_is_not_spread_over_others(gathered):
    target = merged(t0=0.6, t11=0.4)
    found = gathered(target, {"base": BASE} | tunes(8))
    assert not any(each.told is Told.BY_SKETCH for each in found)


def test_a_merge_that_was_tuned_on_is_not_told_as_exact(gathered):
    target = factory.changed(merged(t0=0.6, t1=0.4), 99, scale=0.002)
    found = gathered(target, {"base": BASE} | tunes(8))
    assert not any(each.told is Told.BY_SKETCH for each in found)
    assert found[0].told is Told.NEAR
    assert set(found[0].parents) == {"t0", "t1"}


def test_weights_of_blocks_stand_in_runs(gathered):
    one, other = merged(t0=0.9, t1=0.1), merged(t0=0.2, t1=0.8)
    late = ("unet/mid_block", "unet/down_blocks.3")
    target = {key: (other if key.startswith(late) else one)[key] for key in BASE}
    found = gathered(target, {"base": BASE} | tunes(8))
    assert [each.blocks for each in found] == [("IN00", "IN01", "IN02", "IN03"), ("IN04", "MID")]
    told = [dict(zip(each.parents, each.weights or (), strict=True)) for each in found]
    assert told[0]["t0"] == pytest.approx(0.9, abs=0.01)
    assert told[1]["t0"] == pytest.approx(0.2, abs=0.01)


def test_what_parents_share_has_no_weight(gathered):
    """Never 0.5: blocks that are equal in all parents tell nothing."""
    first, second = (factory.changed(BASE, seed, "unet/mid", scale=0.02) for seed in (1, 2))
    target = {
        key: (0.7 * first[key] + 0.3 * second[key]).astype(np.float32)
        if key.startswith("unet/mid")
        else BASE[key]
        for key in BASE
    }
    found = gathered(target, {"a": first, "b": second, "c": tunes(1)["t0"]})
    by_sketch = [each for each in found if each.weights]
    assert [each.blocks for each in by_sketch] == [("MID",)]
    assert all(each.told is Told.EQUAL for each in found if not each.weights)


def test_casts_and_copies_of_a_parent_are_one_candidate(gathered):
    models = tunes(4)
    half = {name: value.astype(np.float16) for name, value in models["t0"].items()}
    library = models | {"base": BASE, "t0-half": half, "t0-copy": models["t0"]}
    found = gathered(merged(t0=0.7, t1=0.3), library)
    assert [set(each.parents) for each in found] == [{"t0", "t1"}]


def test_a_parent_that_many_are_nearer_than_is_found(gathered):
    """Of t0 there are more light fine-tunes than are looked at for being near."""
    models = tunes(4)
    light = {
        f"light{seed}": factory.changed(models["t0"], 50 + seed, scale=0.004)
        for seed in range(CANDIDATES + 4)
    }
    found = gathered(merged(t0=0.8, t1=0.2), models | light | {"base": BASE})
    assert [set(each.parents) for each in found] == [{"t0", "t1"}]
    assert found[0].told is Told.BY_SKETCH


@pytest.mark.filterwarnings("error")
def test_of_models_that_are_all_the_same_none_is_a_further_parent(entries_of, entry_of):
    index = Index(entries_of({"one": BASE, "two": BASE}))
    assert index.partners(unet(entry_of("target", tunes(1)["t0"])), rounds=5, each=8) == []


def test_nothing_is_gathered_of_one_relative(gathered):
    assert gathered(tunes(1)["t0"], {"base": BASE}) == []
