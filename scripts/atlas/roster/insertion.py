"""Add entries at the end of a mapping or list in a YAML text, and change nothing else of it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

WIDE = 1_000_000
"""Width of lines: none is broken."""


def insert(text: str, place: tuple[str, ...], content: Mapping[str, Any] | Sequence[str]) -> str:
    r"""
    Return the text with entries behind the last one of a mapping or a list.

    Comments, order and spelling of all that was there stay as they are. A key of the top level that
    is missing, or has no value, is written at the end.

    Parameters
    ----------
    text
        A YAML document whose top is a mapping.
    place
        Keys that lead to the mapping or list.
    content
        What is added: of the same form as what is there.

    >>> insert("a:\n- x  # note\nb: 1\n", ("a",), ["y"])
    'a:\n- x  # note\n- y\nb: 1\n'
    """
    node = _node(yaml.compose(text, Loader=yaml.SafeLoader), place)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if not isinstance(node, yaml.CollectionNode):
        return _at_the_end(lines, place, content, node)
    if node.flow_style:
        _insert_in_flow(lines, node, content)
    else:
        told = textwrap.indent(yaml_text(content), " " * node.start_mark.column)
        lines.insert(_last_line(node) + 1, told)
    return "".join(lines)


def _node(node: Any, place: tuple[str, ...]) -> Any:
    """Return the node that keys lead to, or None."""
    for name in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in pairs if key.value == name), None)
    return node


def _at_the_end(lines: list[str], place: tuple[str, ...], content: Any, node: Any) -> str:
    """Write a key of the top level behind everything, in the place of one without a value."""
    (name,) = place
    if node is not None:  # the key is there, and holds nothing
        line = node.start_mark.line
        lines.insert(line + 1, textwrap.indent(yaml_text(content), "  "))
        return "".join(lines)
    return "".join([*lines, yaml_text({name: content})])


def _insert_in_flow(lines: list[str], node: Any, content: Any) -> None:
    """Insert into `{...}` or `[...]`: behind the last entry, or before the closing bracket."""
    told = yaml_text(content, flow=True).strip()[1:-1]
    mark = node.end_mark
    line, column = mark.line, mark.column - 1
    if node.value:
        last = node.value[-1][-1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        line, column = last.end_mark.line, last.end_mark.column
        told = f", {told}"
    lines[line] = lines[line][:column] + told + lines[line][column:]


def _last_line(node: Any) -> int:
    """Return the number of the last line that a node's own text is on."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[-1] if isinstance(node, yaml.MappingNode) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return int(node.end_mark.line) - 1  # it ends where the next line begins
    return int(node.end_mark.line)


def yaml_text(content: Any, *, flow: bool = False) -> str:
    """Return YAML of a value, in readable letters where they are read again as they were."""
    for plain in (True, False):
        text = yaml.safe_dump(
            content, default_flow_style=flow, sort_keys=False, allow_unicode=plain, width=WIDE
        )
        if yaml.safe_load(text) == content:  # of U+0085, a line break of YAML, it is not so
            break
    return text
