"""Classical scaling of distances to points, and how well the points keep them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scaling:
    """Points whose Euclidean distances come as near to the given ones as two axes allow."""

    points: NDArray[np.float64]
    """Shape (N, axes), in the units of the distances."""
    explained: tuple[float, ...]
    """Per axis, its share of the sum of the positive eigenvalues."""
    negative: float
    """Sum of the negative eigenvalues over that of the positive ones; 0 for Euclidean distances."""
    shepard: float
    """Pearson correlation of the given distances with those of the points; NaN if undefined."""


def classical_scaling(distances: NDArray[np.float64], axes: int = 2) -> Scaling:
    """
    Scale a complete (N, N) matrix of distances to points (principal coordinates).

    Torgerson's method: eigenvectors of -½ J D² J times the roots of their eigenvalues. Each
    axis points so that its largest coordinate is positive, whatever the eigensolver's sign.
    """
    squared = distances**2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1)[:, None] + squared.mean()
    eigenvalues, vectors = np.linalg.eigh(-centred / 2)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    positive = float(eigenvalues[eigenvalues > 0].sum())
    points = np.zeros((len(distances), axes))
    kept = min(axes, len(distances))
    points[:, :kept] = vectors[:, :kept] * np.sqrt(np.maximum(eigenvalues[:kept], 0.0))
    shares = np.maximum(eigenvalues[:kept], 0.0) / positive if positive > 0 else np.zeros(kept)
    return Scaling(
        points=with_fixed_signs(points),
        explained=tuple(float(share) for share in shares) + (0.0,) * (axes - kept),
        negative=float(-eigenvalues[eigenvalues < 0].sum() / positive) if positive > 0 else 0.0,
        shepard=_correlation(distances, points),
    )


def with_fixed_signs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Flip each axis so that its coordinate of largest magnitude is positive."""
    largest = np.abs(points).round(12).argmax(axis=0)
    signs = np.sign(points[largest, np.arange(points.shape[1])])
    return points * np.where(signs == 0, 1.0, signs)


def _correlation(distances: NDArray[np.float64], points: NDArray[np.float64]) -> float:
    upper = np.triu_indices(len(distances), k=1)
    drawn = np.linalg.norm(points[upper[0]] - points[upper[1]], axis=1)
    given = distances[upper]
    if len(given) < 2 or np.ptp(given) == 0 or np.ptp(drawn) == 0:
        return float("nan")
    return float(np.corrcoef(given, drawn)[0, 1])


def spanning_tree(distances: NDArray[np.float64]) -> list[tuple[int, int]]:
    """
    Return the minimum spanning tree of a complete (N, N) matrix as (parent, child) edges.

    Prim's algorithm from node 0, which is the only one that is nobody's child; ties go to the
    earliest node.
    """
    size = len(distances)
    outside = np.arange(1, size)
    nearest = np.zeros(size, dtype=np.intp)
    edges = []
    while len(outside):
        place = int(np.argmin(distances[outside, nearest[outside]]))
        node = int(outside[place])
        edges.append((int(nearest[node]), node))
        outside = np.delete(outside, place)
        closer = distances[outside, node] < distances[outside, nearest[outside]]
        nearest[outside[closer]] = node
    return edges
