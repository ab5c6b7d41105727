"""Blocks of many pairs as arrays: cell by cell what the table says."""

from __future__ import annotations

import numpy as np

import factory
from atlas.basis import tables
from atlas.distances.shards import NameRows
from atlas.relations import contents, group_matrices, groups
from atlas.relations.block_values import IN_PART, Cell, part_order, read_blocks
from atlas.relations.matrices import Matrix


def ends(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(pairs, np.int32).reshape(-1, 2).T
    return first, second


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


def test_published_matrices_tell_of_no_parts(tmp_path):
    square = np.array([[0, 2.0], [2.0, 0]])
    published = Matrix(("a", "b"), ("a", "b"), square, square == 0, "unet")
    tables.write(group_matrices.tidy([published]), tmp_path / "distances.parquet")
    assert read_blocks(tmp_path / "distances.parquet", ["a", "b"], *ends([(0, 1)])) == {}


def test_parts_are_in_the_networks_order_after_their_totals():
    blocks = ("*", "time_embedding", "IN09", "IN10", "MID", "OUT00", "conv_out")
    roles = ("*", "self_attention", "norm", "other", "zz", "zzz")
    wanted = [(block, role) for block in blocks for role in roles]
    assert part_order(sorted(wanted)) == part_order(wanted[::-1]) == wanted
