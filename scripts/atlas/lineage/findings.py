"""What is said of a lineage in words: what it rests on, and what it contradicts."""

from __future__ import annotations

from collections.abc import Container, Sequence

from atlas.lineage.graph import Edge
from atlas.lineage.known import Known


def findings(known: Known, edges: Sequence[Edge], compared: Container[str]) -> list[str]:
    """
    Return what is to be said of a graph.

    Parameters
    ----------
    compared
        Models of which distances are known.
    """
    labels, same = known.labels, known.derived.same
    decided = sum(edge.is_decided for edge in edges)
    if edges:
        told = [f"{len(edges)} edges between {len(labels)} models, {decided} of them decided"]
    else:
        told = [f"nothing that one of {len(labels)} models was made from is known"]
    if not known.has_norms:
        told.append(
            "the matrices tell no norms: how far apart unrelated models would be is not known, so "
            "that no fine-tune is told; copies, casts and parts can't be told either"
        )
    parents = {(edge.child, edge.parent) for edge in edges}
    for model, base in sorted(known.bases.items()):
        pair = same.get(model, model), same.get(base, base)
        is_known = pair[0] in compared and pair[1] in compared and pair[0] != pair[1]
        if is_known and not _is_above(pair, parents):
            told.append(
                f"{labels.get(model, model)}: the roster's base {base} is not among its ancestors "
                "by the weights"
            )
    told += [
        f"{edge.parent} → {edge.child} ({edge.kind}): {edge.note}"
        for edge in edges
        if "contradicted: " in edge.note
    ]
    return told


def _is_above(pair: tuple[str, str], parents: set[tuple[str, str]]) -> bool:
    """Tell whether the second is an ancestor of the first."""
    above: dict[str, set[str]] = {}
    for child, parent in parents:
        above.setdefault(child, set()).add(parent)
    waiting, seen = [pair[0]], {pair[0]}
    while waiting:
        for parent in sorted(above.get(waiting.pop(), ())):
            if parent == pair[1]:
                return True
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False
