"""The near pairs of a group against a slow obvious choice."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.relations import matrices
from atlas.relations.matrices import Matrix
from atlas.relations.near_pairs import NearPairs, in_turn, near_pairs, read_distances


def square(component: str, values: np.ndarray, *, ids: tuple[str, ...] | None = None) -> Matrix:
    """Return a matrix whose models without any number lack the component."""
    ids = ids or tuple(f"m{number}" for number in range(len(values)))
    symmetric = np.triu(values, 1) + np.triu(values, 1).T
    holds = ~np.isnan(symmetric + np.diag(np.full(len(ids), np.nan))).all(axis=1)
    np.fill_diagonal(symmetric, np.where(holds, 0, np.nan))
    return Matrix(ids, ids, symmetric, np.diag(holds), component, "relative_l2")


@st.composite
def groups(draw) -> dict[str, Matrix]:
    """Make up a group's matrices, with ties, identical pairs and what was not compared."""
    size = draw(st.integers(2, 9))
    ids = tuple(draw(st.permutations([f"m{number}" for number in range(size)])))
    components = draw(st.sets(st.sampled_from(["unet", "all", "vae", "clip"]), min_size=1))
    cell = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, np.nan])
    found = {}
    for component in sorted(components):
        cells = draw(st.lists(cell, min_size=size * size, max_size=size * size))
        found[component] = square(component, np.reshape(cells, (size, size)), ids=ids)
    return found


def obvious(found: dict[str, Matrix], base: str | None, most: int) -> tuple[set, int | None]:
    """Return the pairs of ids, by trying every k from the largest on."""
    ids = next(iter(found.values())).ids
    pairs = {frozenset(pair) for pair in combinations(ids, 2)}
    if len(pairs) <= most:
        return pairs, None
    base = base or ids[0]
    leaders = [name for name in ("unet", "all", "clip", "vae") if name in found]
    leaders = [name for name in leaders if found[name].identical.diagonal().sum() > 1]

    def nearness(one: str, other: str):
        for turn, name in enumerate(leaders):
            value = found[name].values[ids.index(one), ids.index(other)]
            if not np.isnan(value):
                return turn, value, other
        return None

    for k in range(len(ids) - 1, -1, -1):
        chosen = {pair for pair in pairs if base in pair}
        for one in ids:
            others = [nearness(one, other) for other in ids if other != one]
            near = sorted(other for other in others if other is not None)[:k]
            chosen |= {frozenset((one, other)) for *_, other in near}
        if len(chosen) <= most or k == 0:
            return chosen, k
    raise AssertionError


def named(found: NearPairs) -> set[frozenset[str]]:
    return {
        frozenset((found.ids[i], found.ids[j]))
        for i, j in zip(found.first, found.second, strict=True)
    }


@settings(deadline=None, max_examples=200)
@given(groups(), st.integers(1, 40), st.booleans())
def test_the_pairs_are_those_of_the_obvious_choice(group, most, has_base):
    base = max(next(iter(group.values())).ids) if has_base else None
    found = near_pairs(group, base, most)
    assert (named(found), found.nearest) == obvious(group, base, most)
    assert found.are_all is (found.nearest is None)
    assert len(named(found)) == len(found), "none twice"
    assert (found.first < found.second).all()
    assert sorted(zip(found.first, found.second, strict=True)) == list(
        zip(found.first, found.second, strict=True)
    )
    assert found.first.dtype == found.second.dtype == np.int32


@settings(deadline=None, max_examples=50)
@given(groups(), st.integers(1, 20), st.randoms())
def test_another_order_of_the_models_gives_the_same_pairs(group, most, random):
    ids = next(iter(group.values())).ids
    order = random.sample(range(len(ids)), len(ids))
    turned = {
        name: replace(
            matrix,
            ids=tuple(ids[place] for place in order),
            labels=tuple(ids[place] for place in order),
            values=matrix.values[np.ix_(order, order)],
            identical=matrix.identical[np.ix_(order, order)],
        )
        for name, matrix in group.items()
    }
    one, other = near_pairs(group, ids[0], most), near_pairs(turned, ids[0], most)
    assert (named(one), one.nearest) == (named(other), other.nearest)


def test_a_component_that_one_model_alone_has_leads_nothing():
    values = np.full((3, 3), np.nan)
    alone = replace(square("unet", values), identical=np.diag([True, False, False]))
    shared = square("vae", np.ones((3, 3)))
    assert [each.component for each in in_turn({"unet": alone, "vae": shared})] == ["vae"]


def test_a_zero_that_may_mean_never_compared_is_near_to_nothing():
    values = np.array([[0, 0, 3, 4], [0, 0, 1, 2], [0, 0, 0, 5], [0, 0, 0, 0.0]])
    published = replace(square("unet", values), ambiguous_zeros=True)
    equal = frozenset(("m0", "m1"))
    assert equal not in named(near_pairs({"unet": published}, "m3", 5))
    assert equal in named(near_pairs({"unet": square("unet", values)}, "m3", 5))


def test_pairs_of_the_base_stay_whatever_the_bound():
    found = near_pairs({"unet": square("unet", np.ones((6, 6)))}, "m4", 2)
    assert (len(found), found.nearest, found.base) == (5, 0, "m4")


@pytest.mark.parametrize("measures", [("l2",), ("l2", "relative_l2")])
def test_matrices_are_read_by_the_first_measure_that_there_is(tmp_path, measures):
    for measure in measures:
        one = replace(square("unet", np.full((2, 2), float(len(measure)))), measure=measure)
        matrices.write(one, tmp_path / f"unet.{measure}.csv")
    (found,) = read_distances(tmp_path).values()
    assert (found.component, found.measure) == ("unet", measures[-1])
    assert found.values[0, 1] == len(measures[-1])


@settings(deadline=None, max_examples=50)
@given(groups(), st.integers(1, 20))
def test_pairs_are_told_in_another_order_of_the_models(group, most):
    found = near_pairs(group, None, most)
    models = sorted(found.ids)
    places = list(zip(*found.places(models), strict=True))
    assert {frozenset((models[a], models[b])) for a, b in places} == named(found)
    assert places == sorted(places)
    assert all(a < b for a, b in places)


def test_a_group_without_matrices_has_no_pairs():
    found = near_pairs({}, "m0", 5)
    assert (len(found), found.are_all) == (0, True)
    assert [len(side) for side in found.places(["m0", "m1"])] == [0, 0]
