"""What a tree or a map is drawn of: identical models joined, and only complete distances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from atlas.plots.words import distances_of
from atlas.relations.matrices import Matrix

AGREEMENT = 1e-6
"""Relative difference up to which two models have the same distance to a third."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """Sets of identical models with complete distances between them."""

    members: tuple[tuple[int, ...], ...]
    """Rows of the matrix, in roster order, that one node stands for."""
    distances: NDArray[np.float64]
    """Shape (K, K), complete, 0 on the diagonal and positive elsewhere."""
    left_out: tuple[int, ...]
    """Rows with too few distances to the others to be drawn among them."""

    contradictory: NDArray[np.bool_]
    """Shape (N, N): zeros of the matrix that were taken as not compared."""

    def shown(self) -> NDArray[np.bool_]:
        """Return the pairs that the nodes tell of, and those that keep models out: shape (N, N)."""
        drawn = np.ones(len(self.contradictory), dtype=bool)
        drawn[list(self.left_out)] = False
        return np.asarray((drawn[:, None] & drawn) | self.contradictory)

    def node_of(self, row: int) -> int | None:
        """Return the node that stands for a row of the matrix, None if the row is left out."""
        return next((node for node, rows in enumerate(self.members) if row in rows), None)


def nodes_of(matrix: Matrix) -> Nodes:
    """Join the models that are at distance 0, and leave out those that lack distances."""
    distances = distances_of(matrix)
    contradictory = np.zeros(distances.shape, dtype=bool)
    if matrix.ambiguous_zeros:
        contradictory = contradictory_zeros(distances)
        distances[contradictory] = np.nan
    members = _joined(distances)
    between = _between(members, distances)
    base = matrix.index(matrix.base) if matrix.base is not None else -1
    weights = np.array([len(rows) for rows in members])
    base_node = next((node for node, rows in enumerate(members) if base in rows), None)
    kept = _complete(between, weights, base_node)
    drawn = {row for node in kept for row in members[node]}
    return Nodes(
        members=tuple(members[node] for node in kept),
        distances=between[np.ix_(kept, kept)],
        left_out=tuple(row for row in range(len(matrix)) if row not in drawn),
        contradictory=contradictory,
    )


def contradictory_zeros(distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """
    Return which zeros off the diagonal cannot mean that two models are identical.

    Identical models have the same distance to every third one. Where they have not, the 0 of a
    notebook's file stands for a pair that was never compared.
    """
    contradictory = np.zeros(distances.shape, dtype=bool)
    for a, b in np.argwhere(np.triu(distances == 0, k=1)):
        to_a, to_b = np.delete(distances[a], [a, b]), np.delete(distances[b], [a, b])
        known = ~np.isnan(to_a) & ~np.isnan(to_b)
        agree = np.allclose(to_a[known], to_b[known], rtol=AGREEMENT, atol=0.0)
        contradictory[a, b] = contradictory[b, a] = not agree
    return contradictory


def _joined(distances: NDArray[np.float64]) -> list[tuple[int, ...]]:
    _, node = connected_components(distances == 0, directed=False)
    members: dict[int, list[int]] = {}
    for row, number in enumerate(node):
        members.setdefault(int(number), []).append(row)
    return [tuple(rows) for rows in members.values()]


def _between(members: list[tuple[int, ...]], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between sets: the first known one, as identical models share them."""
    first = [rows[0] for rows in members]
    between = distances[np.ix_(first, first)]
    for a, b in np.argwhere(np.triu(np.isnan(between))):
        block = distances[np.ix_(members[a], members[b])].ravel()
        known = block[~np.isnan(block)]
        between[a, b] = between[b, a] = known[0] if len(known) else np.nan
    return np.asarray(between)


def _complete(
    between: NDArray[np.float64], weights: NDArray[np.intp], base: int | None
) -> list[int]:
    """
    Drop nodes until no distance is missing: the one that lacks most models goes first.

    Finding the largest complete set is hard in general; this finds it where some models have
    nothing in common with the others, or the group falls into families that do not compare.
    Of equals the smallest set goes, the later one, and the base last.
    """
    kept = list(range(len(between)))
    while True:
        missing = np.isnan(between[np.ix_(kept, kept)]) @ weights[kept]
        if not missing.any():
            return kept
        worst = np.flatnonzero(missing == missing.max())
        ranks = [(kept[place] == base, weights[kept[place]], -place) for place in worst]
        del kept[int(worst[min(range(len(worst)), key=ranks.__getitem__)])]
