"""Blocks of many pairs as arrays: cell by cell what the table says."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import factory
from atlas.basis import tables
from atlas.distances.shards import NameRows, NamesOnDisk
from atlas.fingerprints.renamings import Renamings
from atlas.relations import block_values, contents, group_matrices, groups
from atlas.relations.block_values import IN_PART, Blocks, Cell, distinct, part_order, read_blocks
from atlas.relations.matrices import Matrix
from programs import measuring

MODELS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Write the table of a made-up group; return its file, models and rows."""
    folder = tmp_path_factory.mktemp("group")
    given = ("--models", MODELS, "--denoiser", 140, "--others", 10, "--shards")
    measuring.run("bench.relations.made_up_group", folder, *given)
    files = sorted((folder / "fingerprints").glob("*.parquet"))
    held = contents.load(files, [file.stem for file in files], Renamings())
    names = NamesOnDisk(sorted((folder / "distances").glob("*.parquet")), method=1)
    parts = groups.GroupDistances(held).parts(names.read(set(names)))
    table = folder / "distances.parquet"
    tables.write_parts(groups.tables(held.models, parts), groups.SCHEMA, table)
    return table, list(held.models), pd.read_parquet(table)


def ends(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(pairs, np.int32).reshape(-1, 2).T
    return first, second


def code(row: pd.Series) -> int:
    """Return what is known of a row, as a reader of the table would say it."""
    if row["compared_tensors"] == 0:
        return Cell.NOT_COMPARED
    partly = IN_PART * (row["compared_parameters"] < row["parameters"])
    if row["identical_tensors"] == row["tensors"]:
        return Cell.IDENTICAL
    if row["identical_tensors"] == row["compared_tensors"]:
        return Cell.IDENTICAL_SO_FAR + partly
    return Cell.MEASURED + partly


def check(found: dict[str, Blocks], frame: pd.DataFrame, models, first, second) -> None:
    """Hold every cell against the row that it stands for."""
    frame = frame[frame["component"] != "all"]
    rows = {tuple(row[:5]): row for row in frame.astype({"a": object, "b": object}).values}
    named = {key: pd.Series(row, frame.columns) for key, row in rows.items()}
    assert set(found) == set(frame["component"])
    for component, blocks in found.items():
        own = frame[frame["component"] == component]
        assert set(blocks.parts) == set(zip(own["block"], own["role"], strict=True))
        assert list(blocks.parts) == part_order(blocks.parts)
        for pair, (a, b) in enumerate(zip(first, second, strict=True)):
            low, high = sorted((models[a], models[b]))
            for place, part in enumerate(blocks.parts):
                row = named.get((low, high, component, *part))
                value, status = blocks.values[place, pair], blocks.status[place, pair]
                if row is None:
                    assert (np.isnan(value), status) == (True, Cell.ABSENT)
                else:
                    np.testing.assert_equal(value, row["relative_l2"])
                    assert status == code(row)


@pytest.mark.parametrize("chosen", [slice(None), slice(3, 40, 5), slice(0, 0)])
def test_each_cell_is_the_row_of_the_table(made, chosen):
    table, models, frame = made
    first, second = ends(list(combinations(range(MODELS), 2))[chosen])
    check(read_blocks(table, models, first, second), frame, models, first, second)


def test_pairs_come_in_any_order_and_models_too(made):
    table, models, frame = made
    turned = models[::-1]
    first, second = ends([(5, 2), (0, 11), (7, 3)])
    check(read_blocks(table, turned, first, second), frame, turned, first, second)


def test_models_that_are_not_asked_for_are_passed_over(made):
    table, models, frame = made
    few = [models[place] for place in (4, 1, 9)]
    first, second = ends([(0, 1), (1, 2)])
    check(read_blocks(table, few, first, second), frame, few, first, second)


def test_one_row_group_of_all_parts_says_the_same(made, tmp_path):
    table, models, frame = made
    whole = pa.Table.from_pandas(frame, schema=groups.SCHEMA, preserve_index=False)
    tables.write(whole, tmp_path / "whole.parquet")
    first, second = ends(list(combinations(range(MODELS), 2)))
    one = read_blocks(table, models, first, second)
    other = read_blocks(tmp_path / "whole.parquet", models, first, second)
    for component, blocks in one.items():
        np.testing.assert_array_equal(blocks.values, other[component].values)
        np.testing.assert_array_equal(blocks.status, other[component].status)


def test_all_that_can_become_of_a_part_is_told_apart(lay_side_by_side, tmp_path):
    base = factory.weights(seed=1)
    bias = "unet/conv_in.bias"
    models = {
        "a": base,
        "b": dict(base),
        "c": factory.changed(base, 2, "unet/"),
        "d": {name: each for name, each in base.items() if not name.startswith("unet/")},
        "e": {name: each for name, each in base.items() if name != bias},
        "f": {name: np.full_like(each, np.inf) for name, each in base.items()},
        "g": {name: each for name, each in base.items() if name.startswith("vae/")},
    }
    held = lay_side_by_side(models)
    rows = groups.GroupDistances(held)
    # Of what differs, each pair of contents is a distance of 1 apart.
    shards = [all_apart(held, row) for row in range(len(held.tensors))]
    table = tmp_path / "distances.parquet"
    tables.write_parts(groups.tables(held.models, rows.parts(shards)), groups.SCHEMA, table)
    pairs = ["ab", "ac", "ad", "ae", "ce", "af", "dg"]
    first, second = ends([(ord(a) - ord("a"), ord(b) - ord("a")) for a, b in pairs])
    blocks = read_blocks(table, list(held.models), first, second)["unet"]
    told = dict(zip(pairs, blocks.status[blocks.row("*", "*")].tolist(), strict=True))
    assert told == {
        "ab": Cell.IDENTICAL,
        "ac": Cell.MEASURED,
        "ad": Cell.NOT_COMPARED,
        "ae": Cell.IDENTICAL_SO_FAR + IN_PART,
        "ce": Cell.MEASURED + IN_PART,
        "af": Cell.NOT_COMPARED,
        "dg": Cell.ABSENT,
    }
    values = dict(zip(pairs, blocks.values[blocks.row("*", "*")].tolist(), strict=True))
    assert values["ab"] == values["ae"] == 0 < values["ac"]
    assert np.isnan([values["ad"], values["af"], values["dg"]]).all()


def all_apart(held: contents.Contents, row: int) -> NameRows:
    """Return the rows of a tensor whose contents are all a distance of 1 apart."""
    digests = sorted({held.contents["digest"][each] for each in held.index[row] if each >= 0})
    first, second = np.triu_indices(len(digests), k=1)
    measures = np.ones((5, len(first)))
    numel = np.ones(len(first), np.int64)
    sides = first.astype(np.int32), second.astype(np.int32)
    return NameRows(held.tensors["name"][row], digests, *sides, numel, measures, 1)


def test_equal_columns_are_kept_once_and_give_back_every_cell(made):
    table, models, _ = made
    first, second = ends(list(combinations(range(MODELS), 2)))
    for component, blocks in read_blocks(table, models, first, second).items():
        index, kept = distinct(blocks)
        np.testing.assert_array_equal(kept.values[:, index], blocks.values)
        np.testing.assert_array_equal(kept.status[:, index], blocks.status)
        columns = {
            (blocks.values[:, pair].tobytes(), blocks.status[:, pair].tobytes())
            for pair in range(len(first))
        }
        assert kept.values.shape[1] == kept.status.shape[1] == len(columns)
        assert list(dict.fromkeys(index.tolist())) == list(range(len(columns))), component
        if component == "vae":
            assert len(columns) < len(first), "VAEs are shared"


def test_published_matrices_tell_of_no_parts(tmp_path):
    square = np.array([[0, 2.0], [2.0, 0]])
    published = Matrix(("a", "b"), ("a", "b"), square, square == 0, "unet")
    tables.write(group_matrices.tidy([published]), tmp_path / "distances.parquet")
    assert read_blocks(tmp_path / "distances.parquet", ["a", "b"], *ends([(0, 1)])) == {}


def test_no_pair_is_told_twice(tmp_path, made):
    table, models, _ = made
    for pairs in ([(0, 1), (1, 0)], [(2, 2)]):
        with pytest.raises(ValueError, match="twice"):
            block_values.read_blocks(table, models, *ends(pairs))
