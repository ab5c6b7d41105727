"""No model is its own ancestor: of a circle of decided edges the weakest gives way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import networkx as nx

from atlas.lineage.evidence import rank
from atlas.lineage.graph import UNDECIDED, Edge


def without_circles(edges: Sequence[Edge]) -> tuple[list[Edge], list[str]]:
    """
    Return the edges with the weakest of each circle undecided, and what is said of these.

    Of several as weak it is the last by its child's id and its parent's. Edges between the same two
    models one way are one.
    """
    found = list(edges)
    told: list[str] = []
    while circle := _circle(found):
        members = set(circle)
        on_it = [edge for edge in found if edge.is_decided and (edge.parent, edge.child) in members]
        weakest = max(on_it, key=lambda edge: (rank(edge.strength), edge.child, edge.parent))
        names = " → ".join([*(parent for parent, _ in circle), circle[0][0]])
        words = f"gave way, the weakest of a circle: {names}"
        told.append(f"{weakest.parent} → {weakest.child} ({weakest.kind}) {words}")
        found = [
            replace(edge, direction=UNDECIDED, note="; ".join(filter(None, [edge.note, words])))
            if edge.is_decided and (edge.parent, edge.child) == (weakest.parent, weakest.child)
            else edge
            for edge in found
        ]
    return found, told


def _circle(edges: Sequence[Edge]) -> list[tuple[str, str]]:
    graph = nx.DiGraph()
    graph.add_edges_from(sorted({(edge.parent, edge.child) for edge in edges if edge.is_decided}))
    try:
        return [(parent, child) for parent, child in nx.find_cycle(graph)]
    except nx.NetworkXNoCycle:
        return []
