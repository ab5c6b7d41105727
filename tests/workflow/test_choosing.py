"""Neighbours by sketch: told without measuring, and chosen anew when a model comes."""

from __future__ import annotations

import csv

import numpy as np

import factory
from atlas.basis import sealed
from workflow_runs import Atlas

NEAREST = "results/nearest.csv"


def add(atlas: Atlas, name: str, weights: factory.Weights) -> None:
    """Write a checkpoint and enter it into the roster."""
    factory.diffusers_folder(atlas.folder / "models" / name, weights)
    atlas.models[name] = {"path": f"models/{name}"}


def neighbours(atlas: Atlas) -> dict[str, list[str]]:
    with (atlas.folder / NEAREST).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        model: [row["neighbour"] for row in rows if row["model"] == model] for model in atlas.models
    }


def close_to(weights: factory.Weights, share: float) -> factory.Weights:
    """Return weights that differ everywhere by so much of themselves."""
    return {
        name: (value * np.float32(1 + share)).astype(value.dtype) for name, value in weights.items()
    }


def test_neighbours_and_pairs_follow_the_roster(tmp_path):
    atlas = Atlas(tmp_path)
    base = factory.weights(seed=1)
    add(atlas, "base", base)
    add(atlas, "close", close_to(base, 0.001))
    add(atlas, "copy", base)
    add(atlas, "far", factory.weights(seed=3))
    add(atlas, "less-close", close_to(base, 0.01))
    atlas.groups = {"both": {"models": ["far", "less-close"]}}
    settings = {"distances": {"nearest": 1}}
    done = atlas.run(NEAREST, **settings)
    assert done.success, done.output
    assert done.jobs == {"fingerprint": 5, "match_names": 1, "choose_pairs": 1}
    found = neighbours(atlas)
    assert found["close"] == ["base"]
    assert found["copy"] == ["base", "close"]
    assert found["base"] == ["close"]
    assert found["less-close"] == ["close"]
    table, _ = sealed.read(tmp_path / "results" / "chosen_pairs.parquet", ["a", "b", "grouped"])
    grouped = [(row["a"], row["b"]) for row in table.to_pylist() if row["grouped"]]
    assert grouped == [("far", "less-close")]

    atlas.models = dict(reversed(atlas.models.items()))
    assert "Nothing to be done" in atlas.run(NEAREST, **settings).output
    add(atlas, "closer", close_to(base, 0.0001))
    again = atlas.run(NEAREST, **settings)
    assert again.jobs == {"fingerprint": 1, "match_names": 1, "choose_pairs": 1}
    assert neighbours(atlas)["base"] == ["closer"]
