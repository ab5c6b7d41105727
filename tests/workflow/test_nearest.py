"""Where all pairs are too many, the nearest by sketch are measured, and groups' own."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import pandas as pd
import pytest

import factory
from workflow_runs import Atlas, Run

FAMILIES = {"a": 1, "b": 2, "c": 3}
"""Letter to the seed that a family's models start from."""
UNET = sum(name.startswith("unet/") for name in factory.SHAPES)


def add(atlas: Atlas, name: str, seed: int) -> None:
    """Enter a model of the family of its first letter: another UNet near the family's."""
    weights = factory.weights(seed=FAMILIES[name[0]])
    factory.diffusers_folder(
        atlas.folder / "models" / name, factory.changed(weights, seed, "unet/")
    )
    atlas.models[name] = {"path": f"models/{name}"}


def run(atlas: Atlas, *targets: str, **settings) -> Run:
    return atlas.run(*targets, distances={"pairs": "nearest", "nearest": 2} | settings)


def measured(atlas: Atlas) -> set[frozenset[str]]:
    """Return the pairs of models some of whose weights were measured against each other."""
    holders = defaultdict(set)
    for name in atlas.models:
        table = pd.read_parquet(atlas.folder / "results" / "fingerprints" / f"{name}.parquet")
        for own, digest in zip(table["name"], table["digest"], strict=True):
            if own.startswith("unet/"):
                holders[own, digest].add(name)
    found = set()
    for shard in (atlas.folder / "results" / "distances").glob("*.parquet"):
        rows = pd.read_parquet(shard)
        for name, *digests in zip(rows["name"], rows["digest_a"], rows["digest_b"], strict=True):
            if name.startswith("unet/"):
                found.add(frozenset(next(iter(holders[name, digest])) for digest in digests))
    return found


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Three families of three models, and a group of two that are far apart."""
    atlas = Atlas(tmp_path_factory.mktemp("families"))
    for letter in FAMILIES:
        for number in range(3):
            add(atlas, f"{letter}{number}", number)
    atlas.groups = {"far": {"models": ["a0", "c0"]}}
    done = run(atlas)
    assert done.success, done.output
    return atlas


def within_families(models) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in combinations(models, 2) if pair[0][0] == pair[1][0]}


def test_only_neighbours_and_groups_own_pairs_are_measured(families: Atlas) -> None:
    assert measured(families) == within_families(families.models) | {frozenset({"a0", "c0"})}
    nearest = pd.read_csv(families.folder / "results" / "nearest.csv")
    assert (nearest["model"].str[0] == nearest["neighbour"].str[0]).all()


def test_one_more_model_measures_its_neighbours_alone(families: Atlas) -> None:
    add(families, "b9", 9)
    done = run(families, "distances")
    assert done.success, done.output
    assert done.jobs["fingerprint"] == 1
    # it may be nearer to some than what they had, and never costs more than its neighbours' pairs
    assert {pair for pair in measured(families) if "b9" in pair} <= within_families(families.models)
    assert 2 * UNET <= done.measured <= 3 * UNET


def test_a_pair_that_was_not_chosen_is_told(families: Atlas) -> None:
    done = run(families, "results/pairs/a0/b0.parquet")
    assert not done.success
    assert "distances › pairs is nearest" in done.output
    assert "a group" in done.output


def test_all_pairs_again_measures_the_rest(families: Atlas) -> None:
    done = run(families, "distances", pairs="all")
    assert done.success, done.output
    assert measured(families) == {frozenset(pair) for pair in combinations(families.models, 2)}
