"""The order of models in clustered pictures: near ones side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from atlas.plots.words import distances_of
from atlas.relations.matrices import Matrix


@dataclass(frozen=True, eq=False)
class Leaves:
    """An order of all models of a matrix, and the clustering behind it."""

    order: tuple[int, ...]
    """Rows of the matrix; those that were compared with nothing come last."""
    merges: NDArray[np.float64] | None = None
    """scipy's linkage of the first len(merges) + 1 leaves; None where nothing was clustered."""
    rows: tuple[int, ...] = ()
    """The matrix's row of each of the clustering's original leaves."""

    def branches(self) -> list[list[tuple[float, float]]]:
        """Return the dendrogram's lines as (height, place in the order) points."""
        if self.merges is None:
            return []
        place = {row: float(number) for number, row in enumerate(self.order)}
        centres = [(0.0, place[row]) for row in self.rows]
        lines = []
        for a, b, height, _ in self.merges:
            (low_a, at_a), (low_b, at_b) = centres[int(a)], centres[int(b)]
            lines.append([(low_a, at_a), (height, at_a), (height, at_b), (low_b, at_b)])
            centres.append((float(height), (at_a + at_b) / 2))
        return lines


def leaves_of(matrix: Matrix) -> Leaves:
    """
    Return the matrix's fixed order, else its optimal leaf order under average linkage.

    For the clustering alone, a missing distance counts as 1.5 times the largest one: models that
    do not compare fall into separate clusters.
    """
    if matrix.order is not None:
        return Leaves(tuple(matrix.index(model) for model in matrix.order))
    compared = matrix.compared()
    rows = np.flatnonzero(compared)
    apart = tuple(int(row) for row in np.flatnonzero(~compared))
    if len(rows) < 2:
        return Leaves(tuple(range(len(matrix))))
    distances = distances_of(matrix)[np.ix_(rows, rows)]
    largest = float(np.nanmax(distances)) or 1.0  # of models that are all at distance 0
    filled = np.where(np.isnan(distances), 1.5 * largest, distances)
    condensed = squareform(filled, checks=False)
    merges = optimal_leaf_ordering(linkage(condensed, "average"), condensed)
    order = tuple(int(rows[leaf]) for leaf in leaves_list(merges))
    if order.index(int(rows[0])) > (len(order) - 1) / 2:  # either end may come first: take ours
        return Leaves((*order[::-1], *apart), merges, tuple(map(int, rows)))
    return Leaves((*order, *apart), merges, tuple(map(int, rows)))
