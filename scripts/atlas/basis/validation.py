"""Check YAML input in one pass and tell all faults at once, each with its place and remedy."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.paths import unusable
from atlas.basis.shipped import CONFIG, LOADER

MERGE = "tag:yaml.org,2002:merge"
"""Of the key `<<`, which stands for all keys of another mapping."""
MOST_VALUES = 1_000_000
"""In one file: a roster of ten thousand models has a tenth of them."""
DEEPEST = 50
"""Below what overflows the stack of the library that reads YAML, which ends the process."""
LONGEST_NUMBER = 1000
TOO_MUCH = "its aliases (*name) unfold to too many values; write out what they stand for"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a file: where, what stands there, what should."""

    key: tuple[str, ...]
    found: str
    problem: str

    def __str__(self) -> str:
        place = " › ".join(map(show, self.key)) or "(whole file)"
        return f"  {place}\n    found     {self.found}\n    problem   {self.problem}"


class FaultyFileError(AtlasError):
    """A file with one or more faults; its text lists all of them."""

    def __init__(self, file: Path | str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} problem" + ("s" if len(self.faults) > 1 else "")
        listed = "\n\n".join(str(fault) for fault in self.faults)
        super().__init__(f"{file} is not usable: {count}\n\n{listed}\n")


def show(value: object, limit: int = 80) -> str:
    """Return a value as YAML would write it on one line, shortened for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text[1:-1] if isinstance(value, str) and value else text
    return text if len(text) <= limit else text[: limit - 1] + "…"


class _UniqueKeyLoader(LOADER):  # type: ignore[misc]
    """A safe loader that notes keys given twice, of which YAML itself keeps the last."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.faults: list[Fault] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                continue
            if key in lines:
                where = f"lines {lines[key]} and {line}"
                self.faults.append(Fault((str(key),), where, "the same key twice; rename one"))
            lines.setdefault(key, line)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> int:
        """Refuse what Python would not write in a message: it has a limit of 4,300 digits."""
        if len(node.value) > LONGEST_NUMBER:
            raise ValueError(f"a number of {len(node.value)} digits")
        number: int = self.construct_yaml_int(node)
        return number


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:int", _UniqueKeyLoader.construct_number)


def read_yaml(path: Path) -> tuple[Any, list[Fault]]:
    """
    Return a YAML file's content, and a fault for every key that it gives twice.

    Raises
    ------
    AtlasError
        The file is missing, is a folder, is not UTF-8, is not YAML, or unfolds to too much.
    """
    if os.path.lexists(path) and not path.is_file():
        raise AtlasError(f"{path}: {unusable(path)}")  # a pipe would be waited for
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        beside = path.parent.glob("*.y*ml") if path.parent.is_dir() else ()
        hint = nearest(path.name, (file.name for file in beside))
        missing = isinstance(error, FileNotFoundError)
        reason = "no such file" if missing else f"can't be read: {error.strerror}"
        raise AtlasError(f"{path}: {reason}{hint}") from error
    except UnicodeDecodeError as error:
        raise AtlasError(f"{path}: not a text file in UTF-8 ({error.reason})") from error
    loader = _UniqueKeyLoader(text)
    try:
        if _depth(text) > DEEPEST:
            raise AtlasError(f"{path}: lists or keys lie more than {DEEPEST} deep in each other")
        node = loader.get_single_node()
        if node is None:
            return None, []
        if unfolded(node, _nodes_in) > MOST_VALUES:
            raise AtlasError(f"{path}: {TOO_MUCH}")
        return loader.construct_document(node), loader.faults
    except RecursionError as error:
        raise AtlasError(f"{path}: its aliases lie too deep in each other") from error
    except ValueError as error:  # of a date or a number that there is not
        raise AtlasError(f"{path}: not valid YAML: {error}; put texts in quotes") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise AtlasError(f"{path}: not valid YAML{line}: {problem}") from error
    finally:
        loader.dispose()


def unfolded(value: Any, inside: Callable[[Any], Iterable[Any]]) -> float:
    """
    Return how many values one holds, counted anew wherever an alias repeats them.

    What holds itself is infinite. Each value is looked at once, however often it is repeated.

    Parameters
    ----------
    value
        The whole.
    inside
        Returns the values that lie directly in one.
    """
    sizes: dict[int, float] = {}

    def size(each: Any) -> float:
        if id(each) not in sizes:
            sizes[id(each)] = math.inf  # until it is known: it is met again only in itself
            sizes[id(each)] = 1 + sum(map(size, inside(each)))
        return sizes[id(each)]

    return size(value)


def _depth(text: str) -> int:
    """Return how deep lists and keys lie in each other, up to a little beyond the deepest."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if deepest > DEEPEST:
            break
    return deepest


def _nodes_in(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def schema(name: str) -> dict[str, Any]:
    """Return the shipped JSON schema of that name."""
    document: dict[str, Any] = json.loads(
        (CONFIG / "schemas" / f"{name}.schema.json").read_text("utf-8")
    )
    return document


def schema_faults(document: object, rules: Mapping[str, Any]) -> list[Fault]:
    """Return every breach of a JSON schema, in the order of the document's keys."""
    from jsonschema import Draft202012Validator

    faults: list[Fault] = []
    for error in Draft202012Validator(rules).iter_errors(document):
        faults.extend(_faults_of(error))
    return sorted(faults, key=lambda fault: fault.key)


def _faults_of(error: Any) -> list[Fault]:
    key = tuple(str(step) for step in error.absolute_path)
    found = show(error.instance)
    described = error.schema.get("description", "")
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            return [
                Fault((*key, str(name)), show(error.instance[name]), _unknown(name, known))
                for name in error.instance
                if name not in known
            ]
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return [Fault((*key, name), "nothing", "missing key") for name in missing]
        case "enum":
            legal = ", ".join(show(value) for value in error.validator_value)
            hint = nearest(found, map(str, error.validator_value))
            return [Fault(key, found, f"expected one of {legal}{hint}")]
        case "type":
            return [Fault(key, found, f"expected {_a_type(error.validator_value)}")]
        case _:
            return [Fault(key, found, described or error.message)]


def _unknown(name: object, known: Mapping[str, Any]) -> str:
    hint = nearest(str(name), known)
    return f"unknown key{hint}" if hint else f"unknown key; known are {', '.join(sorted(known))}"


def _a_type(names: str | list[str]) -> str:
    words = {
        "object": "keys with values",
        "array": "a list",
        "string": "text (put it in quotes)",
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
        "null": "nothing",
    }
    return " or ".join(words[name] for name in ([names] if isinstance(names, str) else names))
