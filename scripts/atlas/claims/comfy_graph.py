"""ComfyUI's `prompt`: a table of nodes with links, as a graph that can be walked safely."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas.claims.values import from_json, text_of

MOST_NODES = 5000


@dataclass(frozen=True)
class Link:
    """An output of another node."""

    node: str
    output: int


@dataclass(frozen=True)
class Node:
    """One node: its class, the links into it, and its other inputs."""

    kind: str
    links: Mapping[str, Link]
    values: Mapping[str, Any]
    """Texts and numbers, in the order of the file."""


def graph_of(text: str) -> dict[str, Node]:
    """Return the nodes of a `prompt` by their ids, in the file's order; {} where it is none."""
    told = from_json(text)
    if not isinstance(told, dict) or len(told) > MOST_NODES:
        return {}
    return {name: node for name, each in told.items() if (node := _node(each)) is not None}


def loaded_files(text: str) -> list[str]:
    """
    Return the names of weights in a `workflow`, the graph of the editor, in the order of the file.

    Its nodes list their values without names, so no more is taken from it.
    """
    told = from_json(text)
    nodes = told.get("nodes") if isinstance(told, dict) else None
    found = []
    for each in nodes[:MOST_NODES] if isinstance(nodes, list) else ():
        values = each.get("widgets_values") if isinstance(each, dict) else None
        for value in values[:10] if isinstance(values, list) else ():
            name = text_of(value)
            if name.casefold().endswith((".safetensors", ".ckpt", ".sft")):
                found.append(name)
    return list(dict.fromkeys(found))


def _node(told: Any) -> Node | None:
    if not isinstance(told, dict) or not isinstance(told.get("class_type"), str):
        return None
    inputs = told.get("inputs")
    links, values = {}, {}
    for name, value in inputs.items() if isinstance(inputs, dict) else ():
        if link := _link(value):
            links[name] = link
        elif isinstance(value, str | int | float):
            values[name] = value
    return Node(told["class_type"][:100], links, values)


def _link(value: Any) -> Link | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    node, output = value
    is_output = type(output) is int and 0 <= output < 100
    return Link(node, output) if isinstance(node, str) and is_output else None
