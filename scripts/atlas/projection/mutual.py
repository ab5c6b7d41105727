"""Mutual neighbours: the share of nearest neighbours that two representations agree on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.projection.neighbours import Neighbours


@dataclass(frozen=True)
class Null:
    """Mean and standard deviation of a measure when one side's samples are shuffled."""

    mean: float
    spread: float


def mutual_neighbours(first: Neighbours, second: Neighbours) -> float:
    """
    Return the mean share of a sample's k nearest neighbours that are the same in both.

    The mutual k-nearest-neighbour metric of Huh et al. 2024 (The Platonic Representation
    Hypothesis), between 0 and 1; NaN when there are no neighbours.

    Raises
    ------
    AtlasError
        When the two have not the same samples or not the same k.
    """
    count, k = _shape(first, second)
    if k == 0:
        return float("nan")
    return np.intersect1d(_edges(first), _edges(second)).size / (count * k)


def mutual_null(first: Neighbours, second: Neighbours) -> Null:
    """
    Return what `mutual_neighbours` is when one side's samples are shuffled: k / (n - 1).

    The spread is exact over all permutations, for these two graphs. T = Σ A_ij B_π(i)π(j) over the
    directed edges has E T² = Σ_p S_p(A) S_p(B) / N_p over the seven ways p in which two index
    pairs can coincide (Mantel 1967), where S_p sums the products of entries of A so related and N_p
    counts them. Hubs, and edges that go both ways, make it wider than of independent draws.
    """
    count, k = _shape(first, second)
    if k == 0:
        return Null(float("nan"), float("nan"))
    patterns = zip(_sums(first), _sums(second), _counts(count), strict=True)
    square = sum(a * b / ways for a, b, ways in patterns if ways)
    mean = (count * k) ** 2 / (count * (count - 1))
    variance = max(0.0, square - mean**2)
    return Null(k / (count - 1), float(np.sqrt(variance)) / (count * k))


def _shape(first: Neighbours, second: Neighbours) -> tuple[int, int]:
    if first.indices.shape != second.indices.shape:
        told = [
            f"{k} of {count:,} samples" for count, k in (first.indices.shape, second.indices.shape)
        ]
        raise AtlasError(
            f"neighbours can't be compared: {told[0]} on one side, {told[1]} on the other; take the"
            " same samples and the same k"
        )
    count, k = first.indices.shape
    return count, k


def _edges(graph: Neighbours) -> NDArray[Any]:
    """Return each edge as one number, source · n + target, shape (n k,)."""
    count = len(graph.indices)
    return (np.arange(count)[:, None] * count + graph.indices.astype(np.int64)).ravel()


def _sums(graph: Neighbours) -> tuple[float, ...]:
    """Return how many pairs of edges are the same, reversed, share an end, or share none."""
    count, k = graph.indices.shape
    edges = _edges(graph)
    source, target = np.divmod(edges, count)
    reversed_ones = float(np.isin(target * count + source, edges).sum())
    incoming = np.bincount(target, minlength=count).astype(np.float64)
    same = float(count * k)
    shared_source = same * k - same
    shared_target = float(incoming @ incoming) - same
    chain = k * same - reversed_ones
    touching = (same, reversed_ones, shared_source, shared_target, chain, chain)
    return (*touching, same**2 - sum(touching))


def _counts(count: int) -> tuple[int, ...]:
    """Return how many pairs of index pairs are so related."""
    two = count * (count - 1)
    three = two * (count - 2)
    return two, two, three, three, three, three, three * (count - 3)
