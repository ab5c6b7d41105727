"""Blocks of many pairs of a made-up group: cell by cell what its table says."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from atlas.basis import tables
from atlas.distances.shards import NamesOnDisk
from atlas.fingerprints.renamings import Renamings
from atlas.relations import contents, groups
from atlas.relations.block_values import IN_PART, Blocks, Cell, distinct, part_order, read_blocks
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


def test_no_pair_is_told_twice(tmp_path, made):
    table, models, _ = made
    for pairs in ([(0, 1), (1, 0)], [(2, 2)]):
        with pytest.raises(ValueError, match="twice"):
            read_blocks(table, models, *ends(pairs))
