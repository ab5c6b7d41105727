"""Recipes of a small group with real fingerprints, against what was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import factory
from atlas.basis import tables
from atlas.distances.shards import NameRows
from atlas.recipes import group_fits
from atlas.recipes.block_squares import read_squares
from atlas.recipes.tables import FITS, WHOLE
from atlas.relations import groups
from atlas.relations.contents import Contents

SHAPES = {
    "unet/conv_in.weight": (40, 4, 3, 3),
    "unet/conv_in.bias": (40,),
    "unet/down_blocks.0.resnets.0.conv1.weight": (20, 20, 3, 3),
    "unet/down_blocks.0.resnets.0.conv2.weight": (20, 20, 3, 3),
    "unet/down_blocks.0.resnets.0.norm1.weight": (64,),
    "unet/down_blocks.0.resnets.0.conv1.bias": (64,),
    "unet/down_blocks.0.resnets.1.conv1.weight": (40, 40, 3, 3),
    "unet/mid_block.resnets.0.conv1.weight": (30, 30, 3, 3),
    "vae/decoder.conv_in.weight": (40, 10, 3, 3),
    "vae/encoder.conv_in.weight": (40, 10, 3, 3),
}
LEFT_OUT = "unet/down_blocks.0.resnets.0.conv2.weight"
BLOCKS = {"conv_in": 0.1, "down_blocks.0.resnets.0": 0.4, "down_blocks.0.resnets.1": 0.7}


def scaled(weights: factory.Weights, scale: float) -> factory.Weights:
    return {name: np.float32(scale) * value for name, value in weights.items()}


def half(weights: Mapping[str, np.ndarray]) -> factory.Weights:
    return {name: value.astype(np.float16) for name, value in weights.items()}


def mixed(first: factory.Weights, second: factory.Weights, share: float) -> factory.Weights:
    """Return a merge of which the second has a share, rounded once to float16."""
    return half(
        {
            name: (1 - share) * first[name].astype(float) + share * second[name].astype(float)
            for name in first
        }
    )


def in_half(first: factory.Weights, second: factory.Weights, share: float) -> factory.Weights:
    """Return the same of arithmetic that rounds each product to float16."""
    return {
        name: half({name: (1 - share) * first[name].astype(float)})[name]
        + half({name: share * second[name].astype(float)})[name]
        for name in first
    }


def by_block(first: factory.Weights, second: factory.Weights) -> factory.Weights:
    whole = {share: mixed(first, second, share) for share in (*BLOCKS.values(), 0.9)}
    return {
        name: whole[next((s for part, s in BLOCKS.items() if part in name), 0.9)][name]
        for name in first
    }


BASE = scaled(factory.weights(1, SHAPES), 0.05)
TUNES = [half(factory.changed(BASE, seed, "unet/", scale=0.003)) for seed in range(2, 8)]
SIDE = {name: TUNES[0][name] for name in SHAPES if name.startswith("vae/")}
MODELS = {
    "base": BASE,
    "base-half": half(BASE),
    "copy-of-a": dict(TUNES[0]),
    "a": TUNES[0],
    "b": TUNES[1] | SIDE,
    **{f"other-{at}": each | SIDE for at, each in enumerate(TUNES[2:])},
    "merge": mixed(TUNES[0], TUNES[1], 0.3) | SIDE,
    "left-out": mixed(TUNES[0], TUNES[1], 0.4) | SIDE | {LEFT_OUT: TUNES[0][LEFT_OUT]},
    "in-half": in_half(TUNES[0], TUNES[1], 0.35) | SIDE,
    "partly-in-half": mixed(TUNES[0], TUNES[1], 0.45)
    | {name: own for name, own in in_half(TUNES[0], TUNES[1], 0.45).items() if "resnets.1" in name}
    | SIDE,
    "mbw": by_block(TUNES[0], TUNES[1]) | SIDE,
}


def measured(contents: Contents, models: Mapping[str, factory.Weights]) -> Iterator[NameRows]:
    """Measure all pairs of contents plainly."""
    for row, name in enumerate(contents.tensors["name"]):
        held = {
            contents.contents["digest"][contents.index[row, column]]: models[model][name]
            for column, model in enumerate(contents.models)
            if contents.index[row, column] >= 0
        }
        digests = sorted(held)
        places = [
            (i, j)
            for i, j in combinations(range(len(digests)), 2)
            if held[digests[i]].shape == held[digests[j]].shape
        ]
        apart = [
            held[digests[i]].astype(np.float64) - held[digests[j]].astype(np.float64)
            for i, j in places
        ]
        measures = np.zeros((5, len(places)))
        measures[2] = [np.linalg.norm(each) for each in apart]
        yield NameRows(
            name,
            digests,
            np.array([i for i, _ in places], np.int32),
            np.array([j for _, j in places], np.int32),
            np.array([each.size for each in apart], np.int64),
            measures,
            1,
        )


def fit(
    held: Contents, models: Mapping[str, factory.Weights], folder: Path, order: list[str]
) -> pa.Table:
    rows = list(measured(held, models))
    parts = groups.GroupDistances(held).parts(rows)
    tables.write(pa.concat_tables(groups.tables(held.models, parts)), folder / "distances.parquet")
    squares = read_squares(folder / "distances.parquet", held.models)
    return group_fits.fit(held, squares, rows, order=order, most=6)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("fits")
    held = lay(folder, MODELS)
    table = fit(held, MODELS, folder, list(MODELS))
    assert table.schema == FITS
    return table.to_pylist()


def lay(folder: Path, models: Mapping[str, factory.Weights]) -> Contents:
    """Fingerprint models and lay them side by side."""
    from atlas.basis import sealed
    from atlas.checkpoint import open_checkpoint
    from atlas.fingerprints import fingerprint
    from atlas.relations import contents

    ids, paths = sorted(models), []
    for model in ids:
        opened = open_checkpoint(factory.diffusers_folder(folder / model, models[model]))
        paths.append(folder / f"{model}.parquet")
        sealed.write(fingerprint.table(opened), paths[-1], fingerprint.notes(opened))
    return contents.load(paths, ids)


def rows(fitted: list[dict[str, object]], target: str, block: str | None = WHOLE) -> list[dict]:
    return [
        row
        for row in fitted
        if row["target"] == target
        and row["component"] == "unet"
        and (block is None or row["block"] == block)
    ]


def test_one_row_for_the_whole_and_one_a_block(fitted: list[dict[str, object]]) -> None:
    for model in MODELS:
        blocks = [row["block"] for row in rows(fitted, model, None)]
        assert blocks == [WHOLE, "IN00", "IN01", "IN02", "MID"]
    targets = list(dict.fromkeys(row["target"] for row in fitted))
    assert targets == list(MODELS)


def test_a_merge_is_recovered_whole(fitted: list[dict[str, object]]) -> None:
    (row,) = rows(fitted, "merge")
    assert (row["verdict"], row["form"], row["parents"]) == ("recovered", "convex", ["a", "b"])
    np.testing.assert_allclose(row["weights"], [0.7, 0.3], atol=1e-3)
    assert row["alike"] == [["copy-of-a"], []]
    assert 0.9 < row["residual"] / row["floor"] < 1.1


def test_copies_and_casts_are_told_first(fitted: list[dict[str, object]]) -> None:
    (copy,) = rows(fitted, "copy-of-a")
    assert (copy["verdict"], copy["parents"], copy["weights"]) == ("copy", ["a"], [1.0])
    (cast,) = rows(fitted, "base-half")
    assert (cast["verdict"], cast["parents"]) == ("cast", ["base"])
    assert cast["residual"] == pytest.approx(cast["floor"], rel=0.1)


def test_fine_tunes_have_none(fitted: list[dict[str, object]]) -> None:
    for model in ("a", "b", "base", "other-1"):
        (row,) = rows(fitted, model)
        assert (row["verdict"], row["parents"], row["weights"]) == ("none", [], None)
        assert row["residual"] == row["distance"]


def test_half_precision_is_believed_of_most_blocks(fitted: list[dict[str, object]]) -> None:
    (whole,) = rows(fitted, "in-half")
    assert (whole["verdict"], whole["parents"]) == ("recovered", ["a", "b"])
    np.testing.assert_allclose(whole["weights"], [0.65, 0.35], atol=1e-3)
    assert 1.25 < whole["residual"] / whole["floor"] < 1.45
    for block, verdict in {"IN01": "recovered", "IN02": "approximate"}.items():
        (row,) = rows(fitted, "partly-in-half", block)
        assert (row["verdict"], row["parents"]) == (verdict, ["a", "b"])
        np.testing.assert_allclose(row["weights"], [0.55, 0.45], atol=2e-3)


def test_blocks_have_their_own_weights(fitted: list[dict[str, object]]) -> None:
    (whole,) = rows(fitted, "mbw")
    assert (whole["verdict"], whole["weights"]) == ("recovered", None)
    assert sorted(whole["parents"]) == ["a", "b"]
    for block, share in {"IN00": 0.1, "IN01": 0.4, "IN02": 0.7, "MID": 0.9}.items():
        (row,) = rows(fitted, "mbw", block)
        weights = dict(zip(row["parents"], row["weights"], strict=True))
        assert weights["b"] == pytest.approx(share, abs=0.003)
        assert row["verdict"] == "recovered"


def test_what_was_left_out_is_listed(fitted: list[dict[str, object]]) -> None:
    (row,) = rows(fitted, "left-out", "IN01")
    assert row["verdict"] == "recovered"
    assert [each["name"] for each in row["deviating"]] == [LEFT_OUT]
    assert row["deviating"][0]["weights"] == [1.0, 0.0]
    np.testing.assert_allclose(row["weights"], [0.6, 0.4], atol=2e-3)
    assert row["residual"] < 1.2 * row["floor"]
    (whole,) = rows(fitted, "left-out")
    np.testing.assert_allclose(whole["weights"], [0.6, 0.4], atol=1e-3)


def test_shared_components_are_copies(fitted: list[dict[str, object]]) -> None:
    own = [row for row in fitted if row["component"] == "vae" and row["block"] == WHOLE]
    verdicts = {row["target"]: row["verdict"] for row in own}
    assert verdicts["merge"] == verdicts["b"] == "copy"
    assert verdicts["a"] == "cast"


def test_equal_inputs_give_equal_tables(tmp_path: Path, fitted: list[dict[str, object]]) -> None:
    turned = dict(reversed(MODELS.items()))
    table = fit(lay(tmp_path, turned), turned, tmp_path, list(MODELS))
    assert table.to_pylist() == fitted
