"""The tensors that differ most, and their spread, against each pair's own table."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import factory
import quantising
from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.relations import groups, pairs, ranking
from atlas.relations.contents import Contents
from atlas.relations.ranking import BESIDE, BINS, EDGES, Top, rank

BASE = factory.weights(seed=1)
UNET = [name for name in BASE if name.startswith("unet/")]
MODELS = {
    "a": BASE,
    "b": factory.changed(BASE, 2, "unet/"),
    "c": factory.changed(BASE, 3, "vae/", "unet/conv_in", scale=0.5),
    "copy of a": dict(BASE),
    "half": {name: value.astype(np.float16) for name, value in BASE.items()},
    "infinite": {name: np.full_like(value, np.inf) for name, value in BASE.items()},
    "lacking": {name: value for name, value in BASE.items() if not name.startswith("vae/")},
    "packed": {name: value for name, value in BASE.items() if name not in UNET}
    | quantising.quantised({name: BASE[name] for name in UNET}, "DFloat11", 1),
    "shapes": {name: value.ravel()[:2] for name, value in BASE.items()},
    "ties": {name: value * 2 for name, value in BASE.items()},
    "zeros": {name: value * 0 for name, value in BASE.items()},
}


@pytest.fixture
def held(lay_side_by_side) -> Contents:
    return lay_side_by_side(MODELS)


def measured(held: Contents) -> list[NameRows]:
    """Make up the measures of all pairs of contents: some of them are as far apart as others."""
    found = []
    for row, name in enumerate(held.tensors["name"]):
        digests = sorted({held.contents["digest"][each] for each in held.index[row] if each >= 0})
        first, second = np.triu_indices(len(digests), k=1)
        random = np.random.default_rng(row % 3)
        measures = np.round(random.random((5, len(first))) * 10.0 ** random.integers(-9, 2), 9)
        measures[:, random.random(len(first)) < 0.2] = 0
        found.append(
            NameRows(
                name,
                digests,
                first.astype(np.int32),
                second.astype(np.int32),
                np.ones(len(first), np.int64),
                measures,
                1,
            )
        )
    return found


def of_two(held: Contents, a: int, b: int) -> Contents:
    """Return the contents of two models of a group."""
    two = [a, b]
    present = np.flatnonzero((held.index[:, two] >= 0).any(axis=1))
    return Contents(
        models=tuple(held.models[each] for each in two),
        tensors=held.tensors.iloc[present].reset_index(drop=True),
        contents=held.contents,
        index=held.index[np.ix_(present, two)],
        keys=held.keys[np.ix_(present, two)],
        adopted=held.adopted[np.ix_(present, two)],
        unread=tuple(held.unread[each] for each in two),
    )


def obvious(held: Contents, rows: list[NameRows], chosen, most: int):
    """Return both tables, pair by pair, from the table of a pair."""
    top, spread = [], []
    for a, b in chosen:
        told = pairs.table(of_two(held, a, b), rows).to_pandas()
        ends = {"a": held.models[a], "b": held.models[b]}
        far = told[(told["relative_l2"] > 0)].sort_values("name")
        far = far.sort_values("relative_l2", ascending=False, kind="stable")[:most]
        columns = ["name", "component", "block", "role", "l2", "relative_l2"]
        for place, row in enumerate(far[columns].to_dict("records"), 1):
            top.append(ends | {"rank": place} | row)
        for component, own in told.groupby("component"):
            identical = own["status"] == "identical"
            counted = own["status"].isin(["identical", "cast", "different"])
            other = own[counted & ~identical]["relative_l2"]
            bins = [0] * BINS
            for value in other[other > 0]:
                bins[max(0, min(BINS - 1, sum(value >= edge for edge in EDGES) - 1))] += 1
            spread.append(
                ends
                | {
                    "component": component,
                    "tensors": len(own),
                    "identical": identical.sum(),
                    "equal": (other == 0).sum(),
                    "undefined": other.isna().sum(),
                    "not_compared": (~counted).sum(),
                    "bins": bins,
                }
            )
    return top, spread


def plain(table) -> list[dict]:
    return table.to_pylist()


@pytest.mark.parametrize("most", [1, 4, 20])
@pytest.mark.parametrize("every", [1, 7])
def test_both_tables_are_those_of_each_pair(held, most, every):
    rows = measured(held)
    chosen = list(combinations(range(len(held.models)), 2))[::every]
    first, second = np.array(chosen, np.int32).T
    found = rank(held, rows, first, second, most=most)
    top, spread = obvious(held, rows, chosen, most)
    assert plain(found.tensors()) == top
    assert plain(found.spread()) == spread
    for kind in BESIDE:
        assert every > 1 or any(row[kind] for row in spread), f"nothing here is {kind}"


def test_the_order_of_the_names_changes_nothing(held):
    rows = measured(held)
    first, second = groups.GroupDistances(held).first, groups.GroupDistances(held).second
    sides = first.astype(np.int32), second.astype(np.int32)
    one, other = (rank(held, each, *sides, most=3) for each in (rows, rows[::-1]))
    assert one.tensors().equals(other.tensors())
    assert one.spread().equals(other.spread())


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=3, max_size=3), max_size=12),
    st.integers(1, 5),
    st.randoms(),
)
def test_the_largest_come_first_and_of_equal_ones_the_lower_row(values, most, random):
    top = Top(3, most)
    for row in random.sample(range(len(values)), len(values)):
        top.add(row, np.array(values[row]), -np.array(values[row]))
    for pair in range(3):
        every = sorted((-each[pair], row) for row, each in enumerate(values) if each[pair] > 0)
        expected = every[:most] + [(0.0, -1)] * (most - len(every))
        assert list(zip(top.l2[pair], top.row[pair], strict=True)) == expected
        assert (top.value[pair] == -top.l2[pair]).all()


def test_edges_are_half_decades():
    assert EDGES[0] == 1e-8
    assert EDGES[-1] == 10
    np.testing.assert_allclose(EDGES[1:] / EDGES[:-1], 10**0.5)


def test_shards_that_lack_a_pair_are_refused(held):
    rows = [row for row in measured(held) if row.name != "unet/conv_in.bias"]
    first, second = np.array([[0, 1]], np.int32).T
    with pytest.raises(AtlasError, match=r"unet/conv_in\.bias: .*run the target `distances`"):
        rank(held, rows, first, second, most=3)
    same = np.array([[0, 3]], np.int32).T
    assert not rank(held, rows, *same, most=3).tensors().num_rows, "identical ones need no measure"


def test_no_pairs_make_empty_tables(held):
    none = np.zeros(0, np.int32)
    found = rank(held, measured(held), none, none, most=3)
    assert (found.tensors().num_rows, found.spread().num_rows) == (0, 0)
    assert found.tensors().schema == ranking.TENSORS
    assert found.spread().schema == ranking.SPREAD
