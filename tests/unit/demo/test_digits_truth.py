"""The digits models' recipes against the identity table, on untrained weights of the same form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from atlas.basis import sealed
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.networks import clip_vocabulary
from atlas.relations import contents, identity
from atlas_demo import facts, recipes
from atlas_demo.digits import (
    assembly,
    exchanging,
    finetuning,
    ldm_keys,
    networks,
    pipeline_folder,
    relatives,
    single_file,
)
from digits_truth import ENTRIES, EXPECTED, assert_told_from_the_base, found

DIGITS, KEYS = facts.digits(), facts.sd1_keys()


def untrained() -> single_file.Weights:
    """Return a full checkpoint of random weights: no two tensors alike, as after training."""
    torch.manual_seed(0)
    draws = np.random.default_rng(0)
    parts = {}
    for component, config in DIGITS["components"].items():
        fresh = networks.arrays_of(networks.build(component, config))
        parts[component] = {
            name: array + 0.02 * draws.standard_normal(array.shape, np.float32)
            for name, array in fresh.items()
        }
    average = {
        name: array + 0.001 * draws.standard_normal(array.shape, np.float32)
        for name, array in parts["unet"].items()
    }
    return assembly.full(parts, average, digits=DIGITS, keys=KEYS)


def false_vocabulary(folder: Path) -> Path:
    """Write as many tokens as CLIP has, so that the marks of start and end get CLIP's ids."""
    characters = clip_vocabulary.byte_characters()
    pairs = [f"{first} {second}" for first in characters for second in characters]
    clip_vocabulary.write(pairs[: DIGITS["vocabulary"]["merges"]], folder, context=77)
    return folder


def tuned(recipe: dict[str, Any], single: single_file.Weights, tokens: Path):
    component = recipe["component"]
    plan = DIGITS["training"][component] | DIGITS["finetuning"][component]
    weights = finetuning.finetune(
        component,
        ldm_keys.from_ldm(single, KEYS),
        digits=DIGITS,
        plan=plan | {"steps": 1, "warmup": 1, "batch": 2},
        vocabulary=tokens,
    )
    return single | ldm_keys.to_ldm({component: weights}, KEYS)


def exchanged(recipe: dict[str, Any], single: single_file.Weights, tokens: Path):
    weights = exchanging.exchange(
        ldm_keys.from_ldm(single, KEYS)["text_encoder"],
        pair=recipe["digits"],
        digits=DIGITS,
        plan=DIGITS["exchange"] | {"steps": 1, "warmup": 1, "captions": 2},
        vocabulary=tokens,
    )
    return single | ldm_keys.to_ldm({"text_encoder": weights}, KEYS)


@pytest.fixture(scope="module")
def family(tmp_path_factory) -> dict[str, Path]:
    """Make every digits model of the roster, and return where it lies."""
    folder = tmp_path_factory.mktemp("digits")
    tokens = false_vocabulary(folder / "vocabulary")
    paths = {model: folder / Path(entry["path"]).name for model, entry in ENTRIES.items()}
    weights = {"digits-full": untrained()}
    single_file.write(weights["digits-full"], paths["digits-full"])

    def make(model: str) -> single_file.Weights:
        if model in weights:
            return weights[model]
        recipe = ENTRIES[model]["recipe"]
        parents = {parent: make(parent) for parent in recipes.parents(recipe)}
        if recipe["kind"] == "copy":
            (parent,) = parents.values()
            parts = ldm_keys.from_ldm(parent, KEYS)
            pipeline_folder.write(parts, digits=DIGITS, folder=paths[model])
            return parent
        if recipe["kind"] == "finetune":
            weights[model] = tuned(recipe, parents[recipe["of"]], tokens)
        elif recipe["kind"] == "exchange":
            weights[model] = exchanged(recipe, parents[recipe["of"]], tokens)
        else:
            weights[model] = relatives.make(recipe, parents)
        single_file.write(weights[model], paths[model])
        return weights[model]

    for model in ENTRIES:
        make(model)
    return paths


@pytest.fixture(scope="module")
def identities(family, tmp_path_factory) -> pd.DataFrame:
    """Return the identity table of the family."""
    folder = tmp_path_factory.mktemp("fingerprints")
    models = sorted(family)
    for model in models:
        rows = fingerprint.table(open_checkpoint(family[model]))
        sealed.write(rows, folder / f"{model}.parquet")
    prints = [folder / f"{model}.parquet" for model in models]
    return identity.table(contents.load(prints, models))


@pytest.mark.parametrize("model", EXPECTED)
def test_each_relative_is_told_from_the_base(identities, model):
    assert_told_from_the_base(identities, model)


def test_every_relative_of_the_roster_is_tested():
    assert EXPECTED.keys() == ENTRIES.keys() - {"digits"}


def test_the_components_are_whole_under_their_canonical_names(family):
    for model, path in family.items():
        checkpoint = open_checkpoint(path)
        counts: dict[str, int] = {}
        for tensor in checkpoint.tensors:
            counts[tensor.component] = counts.get(tensor.component, 0) + 1
        whole = {"vae": 248} if model == "digits-vae" else {
            "unet": 686, "vae": 248, "text_encoder": 196
        }  # fmt: skip
        if model == "digits-full":
            whole |= {"ema": 686}
        assert {name: counts[name] for name in whole} == whole, model
        assert set(counts) - set(whole) <= {"other"}, model


def test_twenty_five_blocks(family):
    blocks = {tensor.block for tensor in open_checkpoint(family["digits"]).tensors}
    numbered = {f"{half}{number:02d}" for half in ("IN", "OUT") for number in range(12)}
    assert numbered | {"MID"} <= blocks


def test_what_was_trained_is_counted(identities):
    decoder = found(identities, "digits", "digits-decoder", "vae")
    assert (decoder["identical_tensors"], decoder["different_tensors"]) == (110, 138)
    captioned = found(identities, "digits", "digits-captioned", "text_encoder")
    assert (captioned["identical_tensors"], captioned["different_tensors"]) == (164, 32)
    exchanged = found(identities, "digits", "digits-exchanged", "text_encoder")
    assert (exchanged["identical_tensors"], exchanged["different_tensors"]) == (3, 193)


def test_the_pruned_copy_is_the_full_file_but_for_the_average(identities):
    for component in ("unet", "vae", "text_encoder"):
        row = found(identities, "digits-full", "digits-pruned", component)
        assert row["verdict"] == "identical"
    assert found(identities, "digits-full", "digits-pruned", "ema")["verdict"] == "only in a"


def test_the_average_read_in_the_raw_unets_place_is_the_base_model(family, tmp_path):
    """One file may stand twice in a roster, to ask whether A's raw UNet is B's EMA."""
    opened = {
        "averaged": open_checkpoint(family["digits-full"], weights="ema"),
        "base": open_checkpoint(family["digits"]),
        "raw": open_checkpoint(family["digits-full"]),
    }
    for model, checkpoint in opened.items():
        sealed.write(fingerprint.table(checkpoint), tmp_path / f"{model}.parquet")
    prints = [tmp_path / f"{model}.parquet" for model in opened]
    found = identity.table(contents.load(prints, list(opened))).set_index(["a", "b", "component"])
    for component in ("unet", "vae", "text_encoder"):
        assert found.loc[("averaged", "base", component), "verdict"] == "identical"
    assert found.loc[("averaged", "raw", "unet"), "verdict"] == "changed"
