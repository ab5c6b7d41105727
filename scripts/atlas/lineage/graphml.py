"""A lineage as GraphML, which networkx, Gephi, yEd and Cytoscape read."""

from __future__ import annotations

import re

import networkx as nx

from atlas.lineage.graph import Lineage

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 can't hold (https://www.w3.org/TR/xml/#charsets)."""


def dumps(lineage: Lineage) -> str:
    """Return the graph: an edge of two models for each kind, every attribute of one type."""
    graph = nx.MultiDiGraph(name=_clean(lineage.group))
    for node in lineage.nodes:
        graph.add_node(_clean(node.id), label=_clean(node.label), missing=node.missing)
    for number, edge in enumerate(lineage.edges):
        attributes: dict[str, str | float | bool] = {
            "label": _clean(edge.kind),
            "kind": _clean(edge.kind),
            "components": _clean("; ".join(edge.components)),
            "decided": edge.is_decided,
            "strength": str(edge.strength or ""),
            "evidence": _clean("; ".join(sign.words for sign in edge.evidence)),
            "note": _clean(edge.note),
        }
        if edge.weight is not None:
            # Not `weight`: Gephi takes that for an edge's thickness, and drops negative ones.
            attributes["share"] = float(edge.weight)
        graph.add_edge(_clean(edge.parent), _clean(edge.child), key=f"e{number}", **attributes)
    return "\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n"


def _clean(text: str) -> str:
    return ILLEGAL.sub("\ufffd", text)
