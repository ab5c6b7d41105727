"""Verdicts that are taken once for many pairs are those of each pair by itself."""

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

import factory
import plain_identity
import quantising
from atlas.relations import identity

BASE = factory.weights(seed=1)
UNET = {name: value for name, value in BASE.items() if name.startswith("unet/")}


def zoo() -> dict[str, factory.Weights]:
    """Return relatives of every kind: tunes, copies, roundings, copies in training, broken ones."""
    random = np.random.default_rng(0)
    ema = {name.replace("unet/", "ema/"): value for name, value in UNET.items()}
    models = {
        "base": BASE,
        "copy": dict(BASE),
        "half": {name: value.astype(np.float16) for name, value in BASE.items()},
        "eight": {name: value.astype(ml_dtypes.float8_e4m3fn) for name, value in BASE.items()},
        "trained": factory.changed(BASE, 2, "unet/") | ema,
        "bare": UNET,
        "no-unet": {name: value for name, value in BASE.items() if name not in UNET},
        "other-shape": BASE | {"unet/conv_in.weight": np.ones((2, 3), np.float32)},
        "broken": BASE | {"unet/conv_in.bias": np.full(8, np.nan, np.float32)},
        "renamed": {name.replace("conv_in", "conv_first"): each for name, each in BASE.items()},
        "codes": {name: each for name, each in BASE.items() if name not in UNET}
        | quantising.quantised(UNET, "DFloat11", 1),
    }
    for number in range(8):
        changed = random.choice(list(BASE), random.integers(1, len(BASE)), replace=False)
        models[f"tune-{number}"] = factory.changed(BASE, 10 + number, *changed)
    return models


@pytest.fixture(scope="module")
def models():
    return zoo()


def test_every_row_is_that_of_its_pair_alone(models, lay_side_by_side):
    contents = lay_side_by_side(models)
    expected = pd.DataFrame(plain_identity.rows(contents), columns=identity.COLUMNS)
    found = identity.table(contents)
    assert found["verdict"].nunique() > 6
    assert found.to_csv(index=False) == expected.to_csv(index=False)


def test_rows_stand_in_order(models, lay_side_by_side):
    keys = identity.table(lay_side_by_side(models))[["a", "b", "component"]].astype(str)
    assert keys.equals(keys.sort_values(["a", "b", "component"], ignore_index=True))


def test_judgements_that_no_longer_wait_are_taken_again(models, lay_side_by_side, monkeypatch):
    contents = lay_side_by_side(models)
    expected = identity.table(contents).to_csv(index=False)
    monkeypatch.setattr("atlas.relations.judgements.MOST_KEPT", 3)
    assert identity.table(contents).to_csv(index=False) == expected
