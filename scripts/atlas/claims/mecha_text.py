"""
The text of a `mecha_recipe`, format 0.1.0 of sd-mecha: nodes, each a line, the last the result.

Line 1 is `version 0.1.0`. Each other line is a command (model, literal, dict, merge) with arguments
by place and by name; `&i` is the i-th node from 0 (sd_mecha/serialization.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atlas.claims.values import weight_of

VERSION = "version 0.1.0"
COMMANDS = ("model", "literal", "dict", "merge")
CONSTANTS = {"null": None, "true": True, "false": False}
MOST_NODES = 2000
MOST_ARGUMENTS = 1000


@dataclass(frozen=True)
class Reference:
    """Another node, by its number."""

    node: int


Argument = Reference | str | float | bool | None


@dataclass(frozen=True)
class Node:
    """One line of a recipe."""

    command: str
    arguments: tuple[Argument, ...]
    named: Mapping[str, Argument]


class UnreadableRecipeError(ValueError):
    """A text that is no recipe of this format."""


def nodes_of(text: str) -> list[Node]:
    """
    Return the nodes of a recipe.

    Raises
    ------
    UnreadableRecipeError
        Where it is of another version, too long, or a line makes no sense.
    """
    first, *lines = text.split("\n")
    if first.strip() != VERSION:
        raise UnreadableRecipeError(f"of another version: {first[:40]}")
    nodes: list[Node] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(nodes) == MOST_NODES:
            raise UnreadableRecipeError(f"more than {MOST_NODES} nodes")
        nodes.append(_node(line, len(nodes)))
    return nodes


def _node(line: str, number: int) -> Node:
    tokens = list(_tokens(line))
    if not tokens or tokens[0][1] not in COMMANDS or len(tokens) > MOST_ARGUMENTS:
        raise UnreadableRecipeError(f"line {number + 2} has no command")
    arguments: list[Argument] = []
    named: dict[str, Argument] = {}
    for name, word, is_quoted in tokens[1:]:
        value = word if is_quoted else _value(word, number)
        if name:
            named[name] = value
        else:
            arguments.append(value)
    return Node(tokens[0][1], tuple(arguments), named)


def _value(word: str, number: int) -> Argument:
    if word in CONSTANTS:
        return CONSTANTS[word]
    if word.startswith("&"):
        if not word[1:].isdecimal() or len(word) > 10 or int(word[1:]) >= number:
            raise UnreadableRecipeError(f"line {number + 2} refers to no node before it")
        return Reference(int(word[1:]))
    value = weight_of(word)
    if value is None:
        raise UnreadableRecipeError(f"line {number + 2} has no number at {word[:40]!r}")
    return value


def _tokens(line: str) -> Iterator[tuple[str, str, bool]]:
    r"""
    Yield name, text and whether it was quoted, of each word of a line.

    >>> list(_tokens('merge "a \\"b" &1 alpha=0.5'))
    [('', 'merge', False), ('', 'a "b', True), ('', '&1', False), ('alpha', '0.5', False)]
    """
    place, end = 0, len(line)
    while place < end:
        if line[place].isspace():
            place += 1
            continue
        start = place
        while place < end and line[place] not in ' "=':
            place += 1
        name = ""
        if place < end and line[place] == "=":
            name, place = line[start:place], place + 1
            start = place
        if place < end and line[place] == '"':
            text, place = _quoted(line, place + 1)
            yield name, text, True
            continue
        while place < end and line[place] != " ":
            place += 1
        yield name, line[start:place].strip(), False


def _quoted(line: str, place: int) -> tuple[str, int]:
    """Return a text to its closing quote, and the place after that."""
    taken: list[str] = []
    while place < len(line) and line[place] != '"':
        place += line[place] == "\\"
        taken.append(line[place : place + 1])
        place += 1
    if place >= len(line):
        raise UnreadableRecipeError("a text without an end")
    return "".join(taken), place + 1
