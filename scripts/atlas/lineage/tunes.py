"""The nearest known relative of contents that no recipe explains: a least tree of fine-tunes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import numpy.typing as npt

from atlas.lineage.holders import Holders

NEAREST = 8
"""Candidates of each model: its nearest; those of a least spanning tree stand beside them."""

FloatArray = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """What is known beforehand of a component's contents, by their numbers."""

    explained: Mapping[int, int | None] = field(default_factory=dict)
    """Contents that have another origin, to their heaviest parent."""
    claimed: Mapping[int, Collection[int]] = field(default_factory=dict)
    """Contents to those that they are claimed to come from."""
    forbidden: Collection[tuple[int, int]] = ()
    """(child, parent) that can't be."""
    left_out: Collection[int] = ()
    """Contents that are rounded from others: neither parents nor children."""
    tuned: Collection[int] = ()
    """Contents that were tuned from others of the group: no roots."""
    base: int | None = None
    """What the group's base holds."""


def nearest_relatives(found: Holders, known: Known) -> dict[int, int]:
    """
    Return for contents that a recipe does not explain the contents that they hang on.

    It is the arborescence of the least sum of squared distances (Edmonds; squared, as the steps of
    trainings are nearly at right angles) among relatives that are nearer than unrelated models are
    (`holders.FAIR`). Each tree has one root: the base where there is one, else the contents
    nearest to all others, as a base lies in the middle of its tunes. What is claimed to come from
    a relative hangs on that.

    Returns
    -------
    dict
        Number of contents to the number of what they hang on; roots are left out.
    """
    size = len(found.members)
    if size < 2:
        return {}
    squares = found.distances**2
    allowed = _allowed(found, known)
    graph = _with_roots(squares, allowed, known)
    tree = nx.minimum_spanning_arborescence(graph, attr="cost", preserve_attrs=False)
    return {
        child: parent
        for parent, child in sorted(tree.edges, key=lambda edge: edge[1])
        if parent >= 0 and child not in known.explained
    }


def _allowed(found: Holders, known: Known) -> Flags:
    """Return which contents may hang on which: shape (child, parent)."""
    fair = found.fair.copy()
    left_out = list(known.left_out)
    fair[left_out] = False
    fair[:, left_out] = False
    for child, parent in known.forbidden:
        fair[child, parent] = False
    sparse = _nearest(np.where(fair, found.distances, np.inf))
    for child, parents in sorted(known.claimed.items()):
        of_use = [parent for parent in sorted(parents) if fair[child, parent]]
        if of_use:
            sparse[child] = False
            sparse[child, of_use] = True
    for child, explained_by in known.explained.items():
        sparse[child] = False
        if explained_by is not None and explained_by != child:
            sparse[child, explained_by] = True
    return sparse


def _nearest(distances: FloatArray) -> Flags:
    """Return the nearest of each row, and the edges of a least spanning forest both ways."""
    size = len(distances)
    kept = np.zeros((size, size), dtype=bool)
    order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
    kept[np.arange(size)[:, None], order] = True
    both = np.minimum(distances, distances.T)
    graph = nx.Graph()
    graph.add_nodes_from(range(size))
    first, second = np.nonzero(np.triu(np.isfinite(both), k=1))
    graph.add_weighted_edges_from(
        zip(first.tolist(), second.tolist(), both[first, second].tolist(), strict=True)
    )
    for one, other in nx.minimum_spanning_tree(graph).edges:
        kept[one, other] = kept[other, one] = True
    return kept & np.isfinite(distances)


def _with_roots(squares: FloatArray, allowed: Flags, known: Known) -> nx.DiGraph:
    """Return the graph of what may hang on what, and of a root (−1) that all may hang on."""
    size = len(squares)
    related = allowed | allowed.T
    costs = np.where(related, np.nan_to_num(squares, nan=0.0), 0.0)
    # More than any tree costs: as few roots as there can be, then the most central ones.
    dear = 2 * float(costs.max(initial=0.0)) * size + 1.0
    central = _central(squares, allowed)
    base, seen = known.base, set[int]()
    while base is not None and base not in seen:
        seen.add(base)
        above = known.explained.get(base)
        base = base if above is None else above
    graph = nx.DiGraph()
    graph.add_nodes_from(range(-1, size))
    for number in range(size):
        own = 0.0 if number == base else dear * central[number] / 2
        # What is known to hang on another is a root only where nothing else will do.
        has_parent = (
            known.explained.get(number) is not None
            or number in known.tuned
            or any(allowed[number, parent] for parent in known.claimed.get(number, ()))
        )
        graph.add_edge(-1, number, cost=dear * size * (1 + has_parent) + own)
    for child, parent in np.argwhere(allowed).tolist():
        graph.add_edge(parent, child, cost=float(np.nan_to_num(squares[child, parent])))
    return graph


def _central(squares: FloatArray, allowed: Flags) -> FloatArray:
    """Return each one's place among all by the mean square of its distances, up to 1."""
    means = np.array([
        np.nanmean(row[near | (np.arange(len(row)) == at)]) if near.any() else np.inf
        for at, (row, near) in enumerate(zip(squares, allowed | allowed.T, strict=True))
    ])  # fmt: skip
    places = np.argsort(np.argsort(means, kind="stable"), kind="stable")
    return np.asarray((places + 1) / len(means))
