"""A group's matrices as its page shows them: numbers, and the tree, map and order from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pages import decimals
from atlas.pages.decimals import IDENTICAL, NOT_COMPARED, SHARED, Decimals
from atlas.pages.packing import Packing
from atlas.plots import cladogram
from atlas.plots.map import metric_of
from atlas.plots.nodes import Nodes, nodes_of
from atlas.plots.order import leaves_of
from atlas.plots.spread import Spread
from atlas.plots.tree import NEGATIVE, Family, family_of, places_of
from atlas.plots.words import component_title, distances_of, measure_of, shared_in_part
from atlas.relations.matrices import Matrix
from atlas.relations.scaling import Scaling, classical_scaling, spanning_tree


@dataclass(frozen=True, eq=False)
class Sets:
    """Models that are alike in a component, so that the page keeps their numbers once."""

    of: NDArray[np.int32]
    """(N,): the set of each model."""
    first: NDArray[np.intp]
    """(K,): the first model of each set."""


def sets_of(matrices: Sequence[Matrix]) -> Sets:
    """
    Sort the models of a component's matrices into sets with equal rows.

    Parameters
    ----------
    matrices
        Of one component and the same models, at least one.
    """
    size = len(matrices[0])
    leaders = _leaders(matrices[0].identical)
    for matrix in matrices:
        squares = [matrix.values] if matrix.coverage is None else [matrix.values, matrix.coverage]
        for square in squares:
            if not _is_told_by(square, leaders, matrix.identical):
                leaders = np.arange(size)  # identical ones that are not alike: a published file's
    first, of = np.unique(leaders, return_inverse=True)
    return Sets(of.astype(np.int32), first)


def _leaders(identical: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return, per model, the first that it is identical with; all without weights have one."""
    holds = identical.diagonal()
    leaders = np.argmax(identical, axis=1)
    without = np.flatnonzero(~holds)
    leaders[without] = without[:1]
    return np.asarray(leaders)


def _is_told_by(
    square: NDArray[np.float64], leaders: NDArray[np.intp], identical: NDArray[np.bool_]
) -> bool:
    """Return whether all pairs of different sets have the number of their leaders."""
    told = square[np.ix_(leaders, leaders)]
    across = leaders[:, None] != leaders
    return bool(np.array_equal(square[across], told[across], equal_nan=True))


def numbers(matrix: Matrix, sets: Sets) -> Decimals:
    """
    Return the distances of all pairs of sets, the upper triangle with its diagonal, row by row.

    A similarity s is told as the distance 1 − s.
    """
    at = np.ix_(sets.first, sets.first)
    upper = np.triu_indices(len(sets.first))
    told = decimals.decimals(distances_of(matrix)[at][upper])
    digits = told.digits.copy()
    identical = matrix.identical[at][upper]
    known = ~np.isnan(matrix.values[at][upper])
    digits[~known] = NOT_COMPARED
    digits[shared_in_part(matrix)[at][upper]] = SHARED
    digits[identical] = IDENTICAL
    return Decimals(digits, np.where(digits >= decimals.FIRST, told.powers, 0).astype(np.int8))


def coverage(matrix: Matrix, sets: Sets) -> Decimals | None:
    """Return the share of parameters that was compared, of the same pairs; None where all was."""
    if matrix.coverage is None:
        return None
    at = np.ix_(sets.first, sets.first)
    told = matrix.coverage[at][np.triu_indices(len(sets.first))]
    if not (told < 1).any():
        return None
    return decimals.decimals(told)


def square(matrix: Matrix, sets: Sets, packing: Packing) -> dict[str, Any]:
    """Return what the page is told of a matrix; its arrays go into the packing."""
    nodes, family = nodes_of(matrix), family_of(matrix)
    scaling = None
    if len(nodes.members) > 1:
        scaling = classical_scaling(metric_of(matrix, nodes))
    order, tree = _order(matrix, family), None
    if family is not None:
        order, tree = _tree(matrix, family, packing)
    distances = distances_of(matrix)
    positive = distances[np.isfinite(distances) & (distances > 0)]
    return {
        "numbers": decimals.packed(numbers(matrix, sets), packing),
        "scale": scale(Spread.of(positive)) if len(positive) else None,
        "order": packing.add(np.array(order, np.int32)),
        "tree": tree,
        "map": None if scaling is None else _map(matrix, nodes, scaling, packing),
    }


def scale(spread: Spread) -> dict[str, list[float]]:
    """Return what the page is told of a scale of colours."""
    return {"logs": spread.logs.tolist(), "shares": spread.shares.tolist()}


def _order(matrix: Matrix, family: Family | None) -> list[int]:
    return list(leaves_of(matrix).order) if family is None else []


def _tree(matrix: Matrix, family: Family, packing: Packing) -> tuple[list[int], dict[str, Any]]:
    """Return the models in the order of the tips, and the tree, each node after its parent."""
    tree, places = family.tree, places_of(matrix, family)
    numbered: list[int] = []
    stack = [tree.root]
    while stack:
        node = stack.pop()
        numbered.append(node)
        below = sorted(tree.children[node], key=lambda child: places.row[child])
        stack.extend(below[::-1])
    number = {node: place for place, node in enumerate(numbered)}
    parent = np.full(len(numbered), -1, np.int32)
    for node in numbered:
        parent[[number[child] for child in tree.children[node]]] = number[node]
    tip = np.full(len(matrix), -1, np.int32)
    for node, members in enumerate(family.nodes.members):
        tip[list(members)] = number[node]
    longest = max(tree.length)
    negative = [tree.length[node] < -NEGATIVE * longest for node in numbered]
    rows = [row for node in places.tips for row in family.nodes.members[node]]
    rest = [row for row in leaves_of(matrix).order if row not in set(rows)]
    return [*rows, *rest], {
        "parent": packing.add(parent),
        "depth": packing.add(np.array([places.depth[node] for node in numbered], np.float32)),
        "negative": packing.add(np.array(negative, np.uint8)),
        "tip": packing.add(tip),
        "power": measure_of(matrix).adds_up,
        "is_crowded": cladogram.is_crowded(tree, max(places.depth.values()) or 1.0),
        "root": "base" if family.base is not None else "midpoint",
    }


def _map(matrix: Matrix, nodes: Nodes, scaling: Scaling, packing: Packing) -> dict[str, Any]:
    """Return where models lie, the shortest tree through them, and how far it can be believed."""
    x, y = np.full((2, len(matrix)), np.nan, np.float32)
    for rows, (left, up) in zip(nodes.members, scaling.points, strict=True):
        x[list(rows)], y[list(rows)] = left, up
    first = np.array([rows[0] for rows in nodes.members])
    edges = first[np.array(spanning_tree(nodes.distances))]
    return {
        "x": packing.add(x),
        "y": packing.add(y),
        "edges": packing.add(edges.astype(np.int32)),
        "note": _note(matrix, nodes, scaling),
    }


def _note(matrix: Matrix, nodes: Nodes, scaling: Scaling) -> str:
    """Return how far a map of distances can be believed, in sentences."""
    across, up = (f"{100 * share:.0f} %" for share in scaling.explained[:2])
    told = [
        f"{component_title(matrix)}, classical scaling: {across} of the spread across, {up} up."
    ]
    if np.isfinite(scaling.shepard):
        told.append(f"Distances on the map follow the true ones with r = {scaling.shepard:.2f}.")
    if nodes.left_out:
        told.append(f"{len(nodes.left_out)} of {len(matrix)} models lack distances to the others.")
    return " ".join(told)
