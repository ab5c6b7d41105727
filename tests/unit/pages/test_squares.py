"""Matrices as the page of a group has them, against the matrices themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import group_pages
from atlas.pages import squares
from atlas.pages.decimals import IDENTICAL, NOT_COMPARED, SHARED, ZERO
from atlas.pages.packing import Packing
from atlas.plots.tree import newick_of
from atlas.plots.words import significant


@pytest.fixture(scope="module")
def matrices():
    ids = [f"m{number}" for number in range(12)]
    return group_pages.component(
        "text_encoder", ids, ids, np.random.default_rng(3), distinct=6, base="m0"
    )


def at(sets, one, other):
    """Return where a pair of models lies among the numbers of sets, the slow way."""
    size = len(sets.first)
    places = {pair: place for place, pair in enumerate(zip(*np.triu_indices(size), strict=True))}
    return places[tuple(sorted((sets.of[one], sets.of[other])))]


def test_models_of_equal_weights_are_kept_once_and_nobody_else(matrices):
    sets = squares.sets_of(matrices)
    identical = matrices[0].identical
    for one, other in zip(*np.triu_indices(12, 1), strict=True):
        is_same = identical[one, other] or not (identical[one, one] or identical[other, other])
        assert (sets.of[one] == sets.of[other]) == is_same


def test_every_pair_has_its_own_number(matrices):
    sets = squares.sets_of(matrices)
    for matrix in matrices:
        digits, powers = squares.numbers(matrix, sets)
        for one, other in zip(*np.triu_indices(12), strict=True):
            place = at(sets, one, other)
            value = matrix.values[one, other]
            if matrix.identical[one, other]:
                assert digits[place] == IDENTICAL
            elif np.isnan(value):
                assert digits[place] == NOT_COMPARED
            else:
                distance = 1 - value if matrix.measure == "cosine" else value
                told = f"{digits[place]}e{powers[place] - 3}"
                assert significant(float(told)) == significant(distance)


def test_identical_models_that_are_not_alike_are_kept_apart(matrices):
    first = matrices[0]
    one, other = map(int, np.argwhere(np.triu(first.identical, 1))[0])
    third = next(row for row in range(12) if not first.identical[one, row])
    values = first.values.copy()
    values[one, third] = values[third, one] = values[other, third] + 1.0
    told = squares.sets_of([replace(first, values=values), *matrices[1:]])
    assert len(set(told.of.tolist())) == 12


def test_a_measured_zero_and_a_shared_part_have_signs_of_their_own(matrices):
    first = matrices[0]
    values, coverage = first.values.copy(), np.ones_like(first.coverage)
    values[0, 1] = values[1, 0] = 0.0
    values[0, 2] = values[2, 0] = np.nan
    coverage[0, 2] = coverage[2, 0] = 0.4
    alone = replace(first, values=values, coverage=coverage, identical=np.eye(12, dtype=bool))
    sets = squares.sets_of([alone])
    digits, _ = squares.numbers(alone, sets)
    assert digits[at(sets, 0, 1)] == ZERO
    assert digits[at(sets, 0, 2)] == SHARED
    shares = squares.coverage(alone, sets)
    assert shares.digits[at(sets, 0, 2)] == 4000
    assert squares.coverage(replace(alone, coverage=np.ones_like(coverage)), sets) is None


def test_the_tree_is_that_of_the_newick_file_with_parents_before_children(matrices):
    packing = Packing()
    told = squares.square(matrices[0], squares.sets_of(matrices), packing)
    tree = {name: packing._arrays[told["tree"][name]] for name in ("parent", "depth", "tip")}
    parent, tip = tree["parent"], tree["tip"]
    assert parent[0] == -1
    assert (parent[1:] < np.arange(1, len(parent))).all()
    clades = set()
    for node in range(len(parent)):
        below = {node}
        for other in range(node + 1, len(parent)):
            if parent[other] in below:
                below.add(other)
        clades.add(frozenset(f"m{model}" for model in np.flatnonzero(np.isin(tip, list(below)))))
    assert clades - {frozenset()} >= splits(newick_of(matrices[0]))


def splits(text):
    """Return the clades of a Newick tree whose models differ."""
    import re

    stack, found = [], set()
    for token in re.findall(r"[(),;]|:[^(),;]+|'[^']*'|[^(),:;']+", text):
        if token == "(":
            stack.append(set())
        elif token == ")":
            done = stack.pop()
            if stack:
                stack[-1] |= done
            found.add(frozenset(done))
        elif token not in ",;" and not token.startswith(":") and stack:
            stack[-1].add(token.strip("'"))
    return found


def test_the_order_names_every_model_once_those_without_distances_last(matrices):
    packing = Packing()
    told = squares.square(matrices[0], squares.sets_of(matrices), packing)
    order = packing._arrays[told["order"]].tolist()
    assert sorted(order) == list(range(12))
    assert order[-1] == 11  # it has no text encoder


def test_where_nothing_can_be_compared_there_is_neither_tree_nor_map(matrices):
    nothing = replace(
        matrices[0], values=np.full((12, 12), np.nan), identical=np.zeros((12, 12), dtype=bool)
    )
    told = squares.square(nothing, squares.sets_of([nothing]), Packing())
    assert told["tree"] is None
    assert told["map"] is None
    assert told["scale"] is None
