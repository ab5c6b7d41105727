"""Trees of models: neighbour joining, rooting, and Newick files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Edge(NamedTuple):
    """An edge of an unrooted tree; tips are 0..N-1, inner nodes follow."""

    a: int
    b: int
    length: float


@dataclass(frozen=True)
class Tree:
    """A rooted tree: per node its children and the length of the branch above it."""

    tips: int
    """Nodes 0..tips-1 are the tips."""
    root: int
    children: tuple[tuple[int, ...], ...]
    length: tuple[float, ...]
    """In the units of the distances; negative where neighbour joining found it so."""

    def postorder(self) -> list[int]:
        """Return all nodes, every one after its children; no recursion, so trees may be deep."""
        order, stack = [], [self.root]
        while stack:
            node = stack.pop()
            order.append(node)
            stack.extend(self.children[node])
        return order[::-1]


def neighbour_joining(distances: NDArray[np.float64]) -> list[Edge]:
    """
    Return the edges of the neighbour-joining tree of a complete (N, N) matrix.

    Additive distances give back their tree exactly. Elsewhere a branch may come out negative;
    it is returned as it is. Studier and Keppler's form (Mol. Biol. Evol. 5:729, 1988): O(N³)
    in N numpy steps. Ties go to the earliest pair, so equal input gives an equal tree.
    """
    size = len(distances)
    if size < 2:
        return []
    edges: list[Edge] = []
    nodes = list(range(size))
    remaining = distances.astype(np.float64)
    for new in range(size, 2 * size - 3):
        i, j = _closest(remaining)
        gap = remaining[i, j]
        sums = remaining.sum(axis=1)
        to_i = gap / 2 + (sums[i] - sums[j]) / (2 * (len(nodes) - 2))
        edges += [Edge(nodes[i], new, float(to_i)), Edge(nodes[j], new, float(gap - to_i))]
        joined = (remaining[i] + remaining[j] - gap) / 2
        remaining[i], remaining[:, i], remaining[i, i] = joined, joined, 0.0
        remaining = np.delete(np.delete(remaining, j, axis=0), j, axis=1)
        nodes[i] = new
        del nodes[j]
    return edges + _last_edges(nodes, remaining, 2 * size - 3)


def _closest(remaining: NDArray[np.float64]) -> tuple[int, int]:
    """Return the pair, smaller first, whose joining makes the tree shortest."""
    sums = remaining.sum(axis=1)
    criterion = (len(remaining) - 2) * remaining - (sums[:, None] + sums[None, :])
    criterion[np.tril_indices(len(remaining))] = np.inf
    i, j = np.unravel_index(int(np.argmin(criterion)), criterion.shape)
    return int(i), int(j)


def _last_edges(nodes: list[int], remaining: NDArray[np.float64], new: int) -> list[Edge]:
    if len(nodes) == 2:
        return [Edge(nodes[0], nodes[1], float(remaining[0, 1]))]
    a, b, c = remaining[0, 1], remaining[0, 2], remaining[1, 2]
    lengths = ((a + b - c) / 2, (a + c - b) / 2, (b + c - a) / 2)
    return [Edge(node, new, float(length)) for node, length in zip(nodes, lengths, strict=True)]


def rooted_at_tip(edges: Sequence[Edge], tips: int, tip: int) -> Tree:
    """Root the tree at a tip: the tip is the root's first child, with a branch of length 0."""
    edge = next(edge for edge in edges if tip in edge[:2])
    other = edge.b if edge.a == tip else edge.a
    return _rooted(edges, tips, edge, {tip: 0.0, other: edge.length})


def rooted_at_midpoint(edges: Sequence[Edge], tips: int) -> Tree:
    """Root the tree half-way between its two most distant tips (negative branches taken as 0)."""
    start = _walk(edges, tips, 0)[-1][0]
    path = _walk(edges, tips, start)
    half = sum(max(edge.length, 0.0) for _, edge in path) / 2
    below = 0.0  # how much of the path from the start lies behind us
    node = start
    for following, edge in path:
        length = max(edge.length, 0.0)
        if below + length >= half:
            first = half - below
            return _rooted(edges, tips, edge, {node: first, following: edge.length - first})
        below += length
        node = following
    raise AssertionError("half of a path lies on the path")


def _walk(edges: Sequence[Edge], tips: int, start: int) -> list[tuple[int, Edge]]:
    """Return the path (node, edge leading to it) from the start to the tip farthest from it."""
    around = _around(edges)
    reached: dict[int, tuple[float, list[tuple[int, Edge]]]] = {start: (0.0, [])}
    stack = [start]
    while stack:
        node = stack.pop()
        distance, path = reached[node]
        for other, edge in around[node]:
            if other not in reached:
                reached[other] = (distance + max(edge.length, 0.0), [*path, (other, edge)])
                stack.append(other)
    others = (tip for tip in range(tips) if tip != start)
    return reached[max(others, key=lambda tip: reached[tip][0])][1]


def _around(edges: Sequence[Edge]) -> dict[int, list[tuple[int, Edge]]]:
    around: dict[int, list[tuple[int, Edge]]] = {}
    for edge in edges:
        around.setdefault(edge.a, []).append((edge.b, edge))
        around.setdefault(edge.b, []).append((edge.a, edge))
    return around


def _rooted(edges: Sequence[Edge], tips: int, split: Edge, parts: dict[int, float]) -> Tree:
    """Put the root on one edge, at the given distances from the edge's two ends."""
    around = _around(edges)
    root = max(around) + 1
    children: list[tuple[int, ...]] = [()] * (root + 1)
    length = [0.0] * (root + 1)
    children[root] = tuple(parts)
    stack: list[tuple[int, Edge]] = []
    for end, part in parts.items():
        length[end] = part
        stack.append((end, split))
    while stack:
        node, above = stack.pop()
        below = [(other, edge) for other, edge in around[node] if edge is not above]
        children[node] = tuple(other for other, _ in below)
        for other, edge in below:
            length[other] = edge.length
        stack.extend(below)
    return Tree(tips=tips, root=root, children=tuple(children), length=tuple(length))


def newick(tree: Tree, names: Sequence[Sequence[str]]) -> str:
    """
    Return the tree in Newick form; names gives each tip's models.

    Branch lengths are as estimated, negative ones too. Identical models become sisters on
    branches of length 0, so that every model is a leaf.

    >>> newick(Tree(2, 2, ((), (), (0, 1)), (1.0, 2.0, 0.0)), [["a"], ["b", "b copy"]])
    "(a:1.0,(b:0,'b copy':0):2.0);"
    """
    text: dict[int, str] = {}
    for node in tree.postorder():
        if node < tree.tips:
            text[node] = _leaf(names[node])
        else:
            inner = (f"{text.pop(child)}:{tree.length[child]!r}" for child in tree.children[node])
            text[node] = f"({','.join(inner)})"
    return text[tree.root] + ";"


def _leaf(models: Sequence[str]) -> str:
    quoted = [_quoted(model) for model in models]
    return quoted[0] if len(quoted) == 1 else f"({','.join(f'{name}:0' for name in quoted)})"


def _quoted(name: str) -> str:
    """Quote a name unless Newick reads it as it is (there, a bare underscore is a space)."""
    if re.fullmatch(r"[A-Za-z0-9.+-]+", name):
        return name
    return "'" + name.replace("'", "''") + "'"
