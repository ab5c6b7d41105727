"""Where a model lies between two others, from the three distances between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from atlas.lineage.graph import MERGE, TUNE, Edge
from atlas.lineage.holders import Holders


def between(ends: float, to_first: float, to_second: float) -> tuple[float, float]:
    """
    Return where a point lies on the line through two others, and how far off it.

    With d the distance of the ends and a, b the point's distances from the first and the second, it
    lies at the share t = (a² + d² − b²) / (2 d²) of the way, and √(a² − t² d²) off the line.

    Returns
    -------
    tuple
        t: 0 at the first, 1 at the second; and the distance off the line as a share of d. NaN
        where the ends are one point.

    >>> between(5.0, 3.0, 4.0)
    (0.36, 0.48)
    """
    if not ends > 0:
        return float("nan"), float("nan")
    along = (ends**2 + (to_first - to_second) * (to_first + to_second)) / (2 * ends**2)
    off = to_first**2 / ends**2 - along**2
    return along, float(np.sqrt(max(off, 0.0)))


def table(edges: tuple[Edge, ...], found: dict[str, Holders]) -> tuple[dict[str, Any], ...]:
    """
    Return rows of where models lie between two: model, first, second, component, along, off.

    A merge of two lies between its parents; a fine-tune of a fine-tune somewhere beside the line
    from its parent to that one's.
    """
    rows = []
    for component, holders in sorted(found.items()):
        for child, first, second in sorted(_triples(edges, component)):
            if not {child, first, second} <= holders.number.keys():
                continue
            ends = [holders.number[one] for one in (child, first, second)]
            sides = holders.distances[ends, ends[1:] + ends[:1]]
            along, off = between(sides[1], sides[0], sides[2])
            if np.isfinite([along, off]).all():
                rows.append({
                    "model": child, "first": first, "second": second, "component": component,
                    "along": float(f"{along:.6g}"), "off": float(f"{off:.6g}"),
                })  # fmt: skip
    return tuple(rows)


def _triples(edges: tuple[Edge, ...], component: str) -> set[tuple[str, str, str]]:
    """Return children with their two parents of a merge, or their parent and its parent."""
    merged: dict[str, list[str]] = {}
    tuned: dict[str, str] = {}
    for edge in edges:
        if component in edge.components and edge.kind == MERGE:
            merged.setdefault(edge.child, []).append(edge.parent)
        if component in edge.components and edge.kind == TUNE:
            tuned[edge.child] = edge.parent
    pairs = {
        (child, min(parents), max(parents))
        for child, parents in merged.items()
        if len(parents) == 2
    }
    chains = {(child, tuned[parent], parent) for child, parent in tuned.items() if parent in tuned}
    return {(child, first, second) for child, first, second in pairs | chains}
