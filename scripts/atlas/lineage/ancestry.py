"""How much of each ancestor is in a model: weights multiplied along the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from atlas.lineage.graph import MERGE, SAME, Edge
from atlas.recipes.tables import WHOLE

FloatArray = npt.NDArray[np.float64]
LEAST = 1e-4
"""A share below is not told."""


@dataclass(frozen=True)
class Share:
    """Of an ancestor in a component of a model."""

    child: str
    ancestor: str
    component: str
    blocks: tuple[str, ...]
    """Where the share is not 0; (`*`,) for the whole component."""
    least: float
    """The least of these blocks."""
    most: float


def shares(edges: Iterable[Edge], component: str, blocks: Sequence[str]) -> list[Share]:
    """
    Return the shares of all ancestors in a component.

    A child holds of an ancestor the sum over its parents of their weights times what they hold. A
    copy, a cast, a part and a fine-tune hold 1 of their parent: what training adds is nobody's.
    Undecided edges and those to missing parents' parents end the way. A block whose weights are
    not known is left out, so that a share is never made up.

    Parameters
    ----------
    edges
        Those of the graph.
    blocks
        The component's blocks in order of the network; none where there are none.
    """
    order = tuple(blocks) or (WHOLE,)
    own = [
        edge for edge in edges if edge.is_decided and component in (*edge.components, *edge.shared)
    ]
    graph = nx.DiGraph()
    for edge in own:
        graph.add_edge(edge.parent, edge.child)
    weights = _weights(own, component, order)
    makers = {(edge.parent, edge.child) for edge in own if component in edge.components}
    held: dict[str, dict[str, FloatArray]] = {}
    for model in nx.lexicographical_topological_sort(graph):
        parents = sorted(graph.predecessors(model))
        made = [parent for parent in parents if (parent, model) in makers]
        # What several parents share is in the child once.
        combine = np.add if made else np.fmax
        mine: dict[str, FloatArray] = {}
        for parent in made or parents:
            through = {parent: np.ones(len(order))} | held[parent]
            for ancestor, share in through.items():
                part = weights[parent, model] * share
                mine[ancestor] = combine(mine[ancestor], part) if ancestor in mine else part
        held[model] = mine
    return [
        told
        for child, mine in sorted(held.items())
        for ancestor, share in sorted(mine.items())
        if (told := _share(child, ancestor, component, share, order)) is not None
    ]


def _weights(
    edges: Sequence[Edge], component: str, blocks: Sequence[str]
) -> dict[tuple[str, str], FloatArray]:
    """Return each parent's weight in each child, by block: NaN where it is not known."""
    found: dict[tuple[str, str], FloatArray] = {}
    for edge in edges:
        if edge.kind == MERGE and component in edge.components:
            own = edge.of_component(component)
            whole = own.get(WHOLE, np.nan)
            values = np.array([own.get(block, whole) for block in blocks])
        else:
            values = np.ones(len(blocks))
        pair = edge.parent, edge.child
        found[pair] = np.fmax(found[pair], values) if pair in found else values
    return found


def _share(
    child: str, ancestor: str, component: str, share: FloatArray, blocks: Sequence[str]
) -> Share | None:
    there = np.isfinite(share) & (np.abs(share) >= LEAST)
    if not there.any():
        return None
    named = tuple(block for block, is_there in zip(blocks, there, strict=True) if is_there)
    return Share(
        child, ancestor, component, (WHOLE,) if there.all() else named,
        float(f"{share[there].min():.6g}"), float(f"{share[there].max():.6g}"),
    )  # fmt: skip


def table(edges: Iterable[Edge], blocks: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], ...]:
    """
    Return rows of all shares, by child: child, ancestor, component, blocks, least, most, words.

    Parameters
    ----------
    blocks
        Component to its blocks in order of the network.
    """
    all_edges = [edge for edge in edges if edge.kind not in SAME]
    rows = [
        share
        for component in sorted(
            {one for edge in all_edges for one in (*edge.components, *edge.shared)}
        )
        for share in shares(all_edges, component, blocks.get(component, ()))
    ]
    rows.sort(key=lambda one: (one.child, one.component, -one.least, one.ancestor))
    return tuple(
        {
            "child": row.child, "ancestor": row.ancestor, "component": row.component,
            "blocks": list(row.blocks), "least": row.least, "most": row.most,
            "words": words(row, blocks.get(row.component, ())),
        }
        for row in rows
    )  # fmt: skip


def words(share: Share, blocks: Sequence[str]) -> str:
    """
    Say a share.

    >>> words(Share("m", "x", "unet", ("OUT03", "OUT04", "OUT05"), 0.016, 0.04),
    ...       ["OUT02", "OUT03", "OUT04", "OUT05", "OUT06"])
    'at least 1.6 % of x, only in OUT03–OUT05'
    """
    percent = f"{100 * share.least:.3g}".replace("-", "−")
    amount = f"{percent} % of {share.ancestor}"
    is_even = share.most - share.least <= LEAST
    told = amount if is_even else f"at least {amount}"
    where = ranges(share.blocks, blocks)
    return told if share.blocks == (WHOLE,) else f"{told}, only in {where}"


def ranges(some: Sequence[str], blocks: Sequence[str]) -> str:
    """
    Return blocks with runs of neighbours folded.

    >>> ranges(["IN00", "IN01", "IN02", "OUT01"], ["IN00", "IN01", "IN02", "MID", "OUT01"])
    'IN00–IN02, OUT01'
    """
    place = {block: at for at, block in enumerate(blocks)}
    runs: list[list[str]] = []
    for block in some:
        if runs and block in place and place[block] == place.get(runs[-1][-1], -2) + 1:
            runs[-1].append(block)
        else:
            runs.append([block])
    return ", ".join(
        "–".join([run[0], run[-1]]) if len(run) > 2 else ", ".join(run) for run in runs
    )
