"""The graph of what was made from what: nodes, edges, and its form as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.lineage.evidence import DECIDING, Evidence, Strength, against, in_order, judged

TUNE, MERGE, COPY, CAST = "fine-tune", "merge", "copy", "cast"
PRUNE, RENAME, COMPONENT, LORA = "prune", "rename", "component of", "lora"
KINDS = (TUNE, LORA, MERGE, COPY, RENAME, CAST, PRUNE, COMPONENT)
SAME = (COPY, RENAME)
"""Kinds of edges between models that hold the same weights."""

DECIDED, UNDECIDED = "decided", "undecided"
MISSING = "missing: "
"""What the id of a node begins with that stands for a model that the group lacks."""

Blocks = Mapping[str, float]


@dataclass(frozen=True)
class Node:
    """A model, or one that is named and missing."""

    id: str
    label: str
    missing: bool = False


@dataclass(frozen=True)
class Edge:
    """That a model was made from another."""

    parent: str
    child: str
    kind: str
    components: tuple[str, ...]
    """Those that were made from the parent's."""
    evidence: tuple[Evidence, ...] = ()
    """The strongest first."""
    shared: tuple[str, ...] = ()
    """Those that the child holds as the parent does."""
    weight: float | None = None
    """Of the parent in the child, where it is one number."""
    weights: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    """Of a merge: component to block to the parent's weight; block `*` for a whole component."""
    direction: str = UNDECIDED
    strength: Strength | None = None
    """Of the sign that decided it, or that turned it; None where nothing did."""
    note: str = ""
    """What else is to be said of it."""

    @property
    def is_decided(self) -> bool:
        """Whether it is known who the parent is."""
        return self.direction == DECIDED

    def of_component(self, component: str) -> dict[str, float]:
        """Return the parent's weights in a component, by block."""
        return dict(dict(self.weights).get(component, ()))


@dataclass(frozen=True)
class Lineage:
    """What was made from what in a group."""

    group: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    ancestry: tuple[dict[str, Any], ...] = ()
    """Rows of `ancestry.table`."""
    positions: tuple[dict[str, Any], ...] = ()
    """Rows of `positions.table`."""
    findings: tuple[str, ...] = ()
    """What is to be said in words."""

    def label(self, model: str) -> str:
        """Return what a node is called."""
        return next((node.label for node in self.nodes if node.id == model), model)


def directed(edge: Edge) -> Edge:
    """Return an edge turned and decided as its evidence has it, contradictions told."""
    told = judged(edge.evidence)
    contrary = [
        sign
        for sign in against(edge.evidence, is_forward=told.is_forward)
        if sign.strength in DECIDING
    ]
    note = edge.note
    if contrary and told.is_decided:
        words = "; ".join(sign.words for sign in in_order(contrary))
        note = "; ".join(filter(None, [note, f"contradicted: {words}"]))
    turned = edge
    if not told.is_forward:
        turned = replace(
            edge,
            parent=edge.child,
            child=edge.parent,
            evidence=tuple(replace(sign, supports=not sign.supports) for sign in edge.evidence),
        )
    return replace(
        turned,
        evidence=in_order(turned.evidence),
        direction=DECIDED if told.is_decided else UNDECIDED,
        strength=told.strength,
        note=note,
    )


def sorted_edges(edges: list[Edge]) -> tuple[Edge, ...]:
    """Return edges in one order, whatever order they were found in."""
    return tuple(sorted(edges, key=lambda one: (one.child, one.parent, KINDS.index(one.kind))))


def dumps(lineage: Lineage) -> str:
    """Return a lineage as JSON: equal lineages give equal bytes."""
    told = {
        "group": lineage.group,
        "findings": list(lineage.findings),
        "nodes": [asdict(node) for node in lineage.nodes],
        "edges": [_edge_record(edge) for edge in lineage.edges],
        "ancestry": list(lineage.ancestry),
        "positions": list(lineage.positions),
    }
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _edge_record(edge: Edge) -> dict[str, Any]:
    record = asdict(edge)
    record["components"], record["shared"] = list(edge.components), list(edge.shared)
    record["weights"] = {component: dict(blocks) for component, blocks in edge.weights}
    return record


def read(path: Path) -> Lineage:
    """
    Return the lineage of a file that `dumps` wrote.

    Raises
    ------
    AtlasError
        If it is not such a file.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Lineage(
            group=told["group"],
            nodes=tuple(Node(**node) for node in told["nodes"]),
            edges=tuple(_edge(record) for record in told["edges"]),
            ancestry=tuple(told["ancestry"]),
            positions=tuple(told["positions"]),
            findings=tuple(told["findings"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            f"{path}: is no lineage ({error}); delete it and run trace_lineage again"
        ) from error


def _edge(record: dict[str, Any]) -> Edge:
    strength = record["strength"]
    return Edge(
        parent=record["parent"],
        child=record["child"],
        kind=record["kind"],
        components=tuple(record["components"]),
        evidence=tuple(
            Evidence(one["kind"], Strength(one["strength"]), one["words"], one["supports"])
            for one in record["evidence"]
        ),
        shared=tuple(record["shared"]),
        weight=record["weight"],
        weights=tuple(
            (component, tuple(blocks.items())) for component, blocks in record["weights"].items()
        ),
        direction=record["direction"],
        strength=Strength(strength) if strength else None,
        note=record["note"],
    )
