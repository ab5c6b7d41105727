"""What a page tells of pairs, read back and held against the tables, cell by cell."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import group_pages
import packed_parts
from atlas.pages import pair_parts
from atlas.pages.atlas_page import Card, Group
from atlas.pages.decimals import ABSENT, IDENTICAL, NOT_COMPARED, SHARED, UNDEFINED, ZERO
from atlas.plots.words import significant
from atlas.relations import groups
from atlas.relations.block_values import IN_PART, Blocks, Cell
from atlas.relations.near_pairs import near_pairs
from atlas.relations.ranking import BESIDE, BINS, SPREAD, TENSORS

IDS = ("m5", "m2", "m0", "m3", "m6", "m1", "m4")
"""In the order of the page; tables have those of a pair sorted."""
PARTS = (("*", "*"), ("*", "norm"), ("IN00", "*"), ("IN00", "norm"), ("MID", "*"))
CODES = {
    Cell.ABSENT: ABSENT,
    Cell.IDENTICAL: IDENTICAL,
    Cell.IDENTICAL_SO_FAR: SHARED,
    Cell.NOT_COMPARED: NOT_COMPARED,
}


def made_up_blocks(pairs: int) -> Blocks:
    """Return blocks with every status, in part and whole, and a few columns that are equal."""
    rng = np.random.default_rng(5)
    values = 10.0 ** rng.uniform(-7, 1, (len(PARTS), pairs))
    status = rng.choice([*CODES, Cell.MEASURED], (len(PARTS), pairs)).astype(np.uint8)
    values[np.isin(status, (Cell.ABSENT, Cell.NOT_COMPARED))] = np.nan
    values[np.isin(status, (Cell.IDENTICAL, Cell.IDENTICAL_SO_FAR))] = 0
    values[0, :2], status[0, :2] = (0.0, np.nan), Cell.MEASURED
    is_partial = np.isin(status, (Cell.MEASURED, Cell.IDENTICAL_SO_FAR)) & (
        rng.random(status.shape) < 0.5
    )
    status = status + np.uint8(IN_PART) * is_partial
    values[:, 5], status[:, 5] = values[:, 3], status[:, 3]
    return Blocks(PARTS, values, status)


def test_every_cell_of_the_blocks_is_read_back_with_its_digits_or_its_code():
    blocks = made_up_blocks(60)
    facts, arrays = packed_parts.opened(pair_parts.blocks_part(blocks))
    assert facts["parts"] == [list(part) for part in PARTS]
    column, partial = arrays[facts["column"]], arrays[facts["partial"]]
    seen = set()
    for pair in range(60):
        for part in range(len(PARTS)):
            at = column[pair] * len(PARTS) + part
            told = packed_parts.written(facts["numbers"], arrays, at)
            status, value = blocks.status[part, pair], blocks.values[part, pair]
            cell = Cell(status % IN_PART)
            assert partial[at] == (status >= IN_PART)
            if cell != Cell.MEASURED:
                assert told == CODES[cell]
            elif np.isnan(value):
                assert told == UNDEFINED
            elif value == 0:
                assert told == ZERO
            else:
                assert significant(told) == significant(value, 3)
            seen.add((cell, bool(partial[at])))
    assert len(seen) == len(Cell) + 2


def test_equal_columns_are_kept_once_and_only_they():
    blocks = made_up_blocks(60)
    facts, arrays = packed_parts.opened(pair_parts.blocks_part(blocks))
    column = arrays[facts["column"]]
    assert column[3] == column[5]
    assert len(set(column.tolist())) == 59
    assert len(arrays[facts["partial"]]) == 59 * len(PARTS)


def test_where_no_part_differs_there_is_no_scale():
    status = np.full((len(PARTS), 3), Cell.IDENTICAL, np.uint8)
    same = Blocks(PARTS, np.zeros(status.shape), status)
    facts, _ = packed_parts.opened(pair_parts.blocks_part(same))
    assert facts["scale"] is None


@pytest.fixture(scope="module")
def matrices():
    rng = np.random.default_rng(8)
    return {
        name: group_pages.component(name, IDS, IDS, rng, count, base="m2")
        for name, count in {"unet": 7, "vae": 3}.items()
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory, matrices):
    """Write the three tables of a group, the tensors and their spread of near pairs alone."""
    folder = tmp_path_factory.mktemp("group")
    rng = np.random.default_rng(9)
    told = {"group": "g"}
    rows = [
        told | {
            "a": a, "b": b, "component": "unet", "block": block, "role": role, "tensors": 3,
            "compared_tensors": 3, "identical_tensors": 0, "parameters": 8,
            "compared_parameters": 8, "relative_l2": float(rng.lognormal()),
        }
        for block, role in PARTS
        for a, b in combinations(sorted(IDS), 2)
    ]  # fmt: skip
    schema = groups.SCHEMA
    rows = [{name: row.get(name) for name in schema.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "distances.parquet")
    pairs = near(matrices)
    ends = ends_of(pairs)
    tensors = [
        {
            "a": a, "b": b, "rank": rank, "name": f"unet/t{rng.integers(9)}", "component": "unet",
            "block": "IN00", "role": "norm", "l2": 1.0, "relative_l2": 0.5**rank * (1 + at),
        }
        for at, (a, b) in enumerate(ends)
        for rank in range(1, 1 + at % 4)
    ]  # fmt: skip
    spread = [
        {
            "a": a, "b": b, "component": component, "tensors": 100,
            **{name: int(rng.integers(300)) for name in BESIDE},
            "bins": rng.integers(0, 700, BINS).tolist(),
        }
        for at, (a, b) in enumerate(ends)
        for component in ("unet", "vae")[: 1 + at % 2]
    ]  # fmt: skip
    for name, table, own in (("tensors", tensors, TENSORS), ("spread", spread, SPREAD)):
        pq.write_table(pa.Table.from_pylist(table[::-1], schema=own), folder / f"{name}.parquet")
    return pair_parts.Files(
        *(folder / f"{name}.parquet" for name in ("distances", "tensors", "spread"))
    )


def near(matrices, most=13):
    """Return the near pairs of the group: not all."""
    found = near_pairs({name: own[1] for name, own in matrices.items()}, "m2", most)
    assert 6 <= len(found) <= most
    return found


def ends_of(pairs):
    """Return the two models of each pair as tables have them."""
    ends = zip(pairs.first, pairs.second, strict=True)
    return [tuple(sorted((IDS[one], IDS[other]))) for one, other in ends]


def identity() -> pd.DataFrame:
    rows = [(a, b, "unet", "changed", f"{a} and {b}") for a, b in combinations(sorted(IDS), 2)]
    return pd.DataFrame(rows, columns=["a", "b", "component", "verdict", "what"])


def added(matrices, files, most=13):
    cards = dict.fromkeys(IDS, Card())
    group = Group(matrices=matrices, cards=cards, title="", subtitle="", measure="l2")
    return pair_parts.added(group, files, identity=identity(), most=most, are_linked=True)


def test_of_many_pairs_the_near_ones_are_told_and_named(matrices, files):
    group = added(matrices, files)
    pairs = near(matrices)
    assert group.pairs["is_all"] is False
    held = group.packing._arrays
    assert held[group.pairs["one"]].tolist() == pairs.first.tolist()
    assert held[group.pairs["other"]].tolist() == pairs.second.tolist()
    assert f"{len(pairs)} pairs" in group.pairs["said"]
    assert "those of m2" in group.pairs["said"]
    facts, arrays = packed_parts.opened(group.parts["blocks-0"])
    frame = pd.read_parquet(files.distances).astype({"a": str, "b": str, "block": str, "role": str})
    rows = frame.set_index(["a", "b", "block", "role"])["relative_l2"]
    for place, (a, b) in enumerate(ends_of(pairs)):
        for part, (block, role) in enumerate(facts["parts"]):
            at = arrays[facts["column"]][place] * len(PARTS) + part
            told = packed_parts.written(facts["numbers"], arrays, at)
            assert significant(told) == significant(rows[a, b, block, role], 3)


def test_the_words_of_the_near_pairs_are_those_of_their_rows(matrices, files):
    facts, arrays = packed_parts.opened(added(matrices, files).parts["identity"])
    what = [facts["whats"][code] for code in arrays[facts["what"]]]
    assert what == [f"{a} and {b}" for a, b in ends_of(near(matrices))]
    assert (arrays[facts["verdict"]] == facts["verdicts"].index("changed")).all()


def test_of_few_pairs_all_are_told(matrices, files):
    group = added(matrices, files, most=21)
    assert group.pairs == {"is_all": True, "linked": True, "said": ""}
    facts, arrays = packed_parts.opened(group.parts["blocks-0"])
    assert len(arrays[facts["column"]]) == 21


def test_a_group_without_blocks_has_none_and_its_other_parts(matrices, files, tmp_path):
    empty = tmp_path / "distances.parquet"
    pq.write_table(groups.SCHEMA.empty_table(), empty)
    group = added(matrices, pair_parts.Files(empty, files.tensors, files.spread))
    assert set(group.parts) == {"tensors", "spread", "identity"}


def test_the_tensors_of_each_pair_stand_by_rank(matrices, files):
    pairs, table = near(matrices), pq.read_table(files.tensors)
    facts, arrays = packed_parts.opened(pair_parts.tensors_part(table, pairs))
    rows = {(row["a"], row["b"], row["rank"]): row for row in table.to_pylist()}
    names = arrays[facts["name"]]
    assert facts["most"] == 3
    for place, (a, b) in enumerate(ends_of(pairs)):
        for rank in range(1, facts["most"] + 1):
            at = place * facts["most"] + rank - 1
            row = rows.get((a, b, rank))
            if row is None:
                assert names[at] == -1
                continue
            told = facts["names"][names[at]]
            assert told == [row[name] for name in ("name", "component", "block", "role")]
            number = packed_parts.written(facts["numbers"], arrays, at)
            assert significant(number) == significant(row["relative_l2"], 3)


def test_where_no_tensor_moved_there_is_none(matrices):
    facts, arrays = packed_parts.opened(
        pair_parts.tensors_part(TENSORS.empty_table(), near(matrices))
    )
    assert (facts["most"], facts["names"], len(arrays[facts["name"]])) == (0, [], 0)


def test_where_nothing_could_be_read_there_is_nothing_to_count(matrices):
    facts, arrays = packed_parts.opened(
        pair_parts.spread_part(SPREAD.empty_table(), near(matrices))
    )
    assert (facts["components"], len(arrays[facts["counts"]])) == ([], 0)


def test_counts_of_the_spread_stand_with_their_pair_and_component(matrices, files):
    pairs, table = near(matrices), pq.read_table(files.spread)
    facts, arrays = packed_parts.opened(pair_parts.spread_part(table, pairs))
    shape = (len(pairs), len(facts["components"]), len(BESIDE) + BINS)
    counts = arrays[facts["counts"]].reshape(shape)
    rows = {(row["a"], row["b"], row["component"]): row for row in table.to_pylist()}
    for place, (a, b) in enumerate(ends_of(pairs)):
        for at, component in enumerate(facts["components"]):
            row = rows.get((a, b, component))
            wanted = [row[name] for name in BESIDE] + row["bins"] if row else [0] * shape[2]
            assert counts[place, at].tolist() == wanted
    assert facts["beside"] == list(BESIDE)
    assert (facts["edges"][0], facts["edges"][-1], len(facts["edges"])) == (-8.0, 1.0, BINS + 1)
