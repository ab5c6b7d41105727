"""Shuffling: what two graphs on the same samples share when one's samples are dealt anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Null:
    """Mean and standard deviation of a measure when one side's samples are shuffled."""

    mean: float
    spread: float


@dataclass(frozen=True, eq=False)
class Graph:
    """Directed edges between n samples, as what their pairs amount to."""

    count: int
    """Samples."""
    keys: NDArray[np.int64]
    """Each edge as source · n + target; empty where only the sums are known."""
    same: float
    """Edges."""
    reversed: float
    """Edges that go the other way too."""
    from_one: float
    """Ordered pairs of edges that leave one sample for two others."""
    into_one: float
    """Ordered pairs of edges that come into one sample from two others."""
    in_line: float
    """Pairs of which one edge ends where the other starts, at three different samples."""

    @property
    def patterns(self) -> tuple[float, ...]:
        """Pairs of edges by how their ends coincide, in the order of `_ways`."""
        touching = (
            self.same, self.reversed, self.from_one, self.into_one, self.in_line, self.in_line
        )  # fmt: skip
        return (*touching, self.same**2 - sum(touching))


def edges_of(indices: NDArray[np.integer[Any]]) -> Graph:
    """Return the graph in which each sample points at its k neighbours, shape (n, k)."""
    count, k = indices.shape
    source = np.repeat(np.arange(count, dtype=np.int64), k)
    target = indices.astype(np.int64).ravel()
    keys = source * count + target
    both_ways = float(np.isin(target * count + source, keys).sum())
    incoming = np.bincount(target, minlength=count).astype(np.float64)
    same = float(count * k)
    return Graph(
        count=count,
        keys=keys,
        same=same,
        reversed=both_ways,
        from_one=same * k - same,
        into_one=float(incoming @ incoming) - same,
        in_line=same * k - both_ways,
    )


def cliques_of(sizes: NDArray[np.floating[Any]]) -> Graph:
    """Return the graph in which all samples of one class point at one another, by class sizes."""
    same = float((sizes * (sizes - 1)).sum())
    three = float((sizes * (sizes - 1) * (sizes - 2)).sum())
    empty = np.empty(0, np.int64)
    return Graph(int(sizes.sum()), empty, same, same, three, three, three)


def shuffled(first: Graph, second: Graph) -> Null:
    """
    Return mean and spread of the number of common edges over all orders of one graph's samples.

    With adjacency matrices A and B, T = Σ A_ij B_π(i)π(j) has the mean ΣA ΣB / (n (n - 1)), and
    E T² = Σ_p S_p(A) S_p(B) / N_p over the seven ways p in which two ordered pairs of samples can
    coincide (Mantel 1967): S_p counts the pairs of edges so related, N_p all that there could be.
    """
    count = first.count
    ways = _ways(count)
    mean = first.same * second.same / ways[0]
    square = sum(
        a * b / way for a, b, way in zip(first.patterns, second.patterns, ways, strict=True) if way
    )
    return Null(mean, float(np.sqrt(max(0.0, square - mean**2))))


def _ways(count: int) -> tuple[int, ...]:
    """Return how many ordered pairs of ordered pairs of samples are so related."""
    two = count * (count - 1)
    three = two * (count - 2)
    return two, two, three, three, three, three, three * (count - 3)
