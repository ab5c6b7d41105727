"""The rules of a layout: from the start of a key to canonical names."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atlas.names.views import Shape, View, consecutive, halves_swapped

NUMBERS = ("i", "j")
"""Placeholders that stand for numbers in every layout."""

Shapes = Mapping[str, Shape]


@dataclass(frozen=True)
class Target:
    """What becomes of the keys that a pattern matches."""

    names: tuple[str, ...]
    """Empty where the tensor belongs to no component."""
    rows: tuple[str, ...] = ()
    """`width` and `rest` in the order of the names; empty for equal parts."""
    swapped: bool = False
    transposed: bool = False


@dataclass(frozen=True)
class Rule:
    """One line of a layout's `modules`."""

    pattern: re.Pattern[str]
    length: int
    """Number of the pattern's parts between dots: the longest match decides."""
    target: Target


class Rules:
    """All rules of a layout: those without placeholders by their source, the others by its head."""

    def __init__(
        self,
        modules: Mapping[str, Any],
        where: Mapping[str, list[str]],
        elements: Mapping[str, str],
    ) -> None:
        self.elements = elements
        self.literal: dict[str, Target] = {}
        self.by_head: dict[str, list[Rule]] = defaultdict(list)
        for source, target in modules.items():
            if "{" not in source:
                self.literal[source] = _target(target)
                continue
            rule = _rule(source, target, where)
            for head in _heads(source, where):
                self.by_head[head].append(rule)
        for rules in self.by_head.values():
            rules.sort(key=lambda rule: -rule.length)

    def views(self, key: str, shapes: Shapes, last: Mapping[str, int]) -> list[View] | None:
        """
        Return the canonical tensors within the tensor of a key.

        `last` is the highest number behind each stem of the layout's keys, as in
        {"decoder.up": 3}. An empty list means that the tensor belongs to no component, None
        that no rule knows the key or that its rows cannot be split so.
        """
        target, end, values = self._longest(key)
        if target is None:
            return None
        names = self._names(target, key, end, values, last)
        return _split(target, names, key, shapes)

    def _longest(self, key: str) -> tuple[Target | None, int, dict[str, str]]:
        """Return the target of the longest match, where the match ends, and its placeholders."""
        source, length = key, key.count(".") + 1
        while source not in self.literal and length:
            source, length = source.rpartition(".")[0], length - 1
        for rule in self.by_head.get(key.split(".", 1)[0], ()):
            if rule.length <= length:
                break
            match = rule.pattern.match(key)
            if match:
                stem = {"": key[: match.start("i") - 1]} if "i" in match.groupdict() else {}
                return rule.target, match.end(), match.groupdict() | stem
        return self.literal.get(source), len(source), {}

    def _names(
        self, target: Target, key: str, end: int, values: dict[str, str], last: Mapping[str, int]
    ) -> list[str]:
        rest = key[end:]
        for element, renamed in self.elements.items():
            rest = re.sub(rf"(?<=\.){re.escape(element)}(?=\.|$)", renamed, rest)
        if any("{last-i}" in name for name in target.names):
            values["last-i"] = str(last[values[""]] - int(values["i"]))
        return [_filled(name, values) + rest for name in target.names]


def _rule(source: str, target: Any, where: Mapping[str, list[str]]) -> Rule:
    pattern = re.escape(source).replace(r"\{", "{").replace(r"\}", "}")
    for name in NUMBERS:
        pattern = pattern.replace(f"{{{name}}}", rf"(?P<{name}>\d+)")
    for name, values in where.items():
        pattern = pattern.replace(f"{{{name}}}", f"(?P<{name}>{'|'.join(map(re.escape, values))})")
    return Rule(re.compile(rf"{pattern}(?=\.|$)"), source.count(".") + 1, _target(target))


def _target(target: Any) -> Target:
    if target is None:
        return Target(())
    if isinstance(target, str):
        return Target((target,))
    if isinstance(target, list):
        return Target(tuple(target))
    names = target.get("names") or [target["name"]]
    return Target(
        names=tuple(names),
        rows=tuple(target.get("rows", ())),
        swapped=target.get("halves") == "swapped",
        transposed=bool(target.get("transposed")),
    )


def _heads(source: str, where: Mapping[str, list[str]]) -> list[str]:
    """Return the first parts of the keys that a pattern may match."""
    head = source.split(".", 1)[0]
    for name, values in where.items():
        if f"{{{name}}}" in head:
            return [head.replace(f"{{{name}}}", value) for value in values]
    return [head]


def _filled(name: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        name = name.replace(f"{{{placeholder}}}", value)
    return name


def _split(target: Target, names: list[str], key: str, shapes: Shapes) -> list[View] | None:
    shape = shapes[key]
    if target.swapped and shape and shape[0] == 2 * (_width(key, shapes) or 0):
        return [View(names[0], halves_swapped(shape[0]))]
    if len(names) < 2:
        return [View(name, transposed=target.transposed) for name in names]
    sizes = _sizes(target, shape[0] if shape else 0, len(names), _width(key, shapes))
    if sizes is None:
        return None
    return [View(n, (rows,)) for n, rows in zip(names, consecutive(sizes), strict=True)]


def _width(key: str, shapes: Shapes) -> int | None:
    """Return the number of columns of the weight of a key's module: the model's width."""
    weight = shapes.get(key.rpartition(".")[0] + ".weight", shapes[key])
    return weight[1] if len(weight) > 1 else None


def _sizes(target: Target, rows: int, parts: int, width: int | None) -> list[int] | None:
    wishes = target.rows or ("rest",) * parts
    if width is None and "width" in wishes:
        return None
    left = rows - (width or 0) * wishes.count("width")
    share, remainder = divmod(left, max(1, wishes.count("rest")))
    if left < 0 or remainder or (left and "rest" not in wishes):
        return None
    return [width or 0 if wish == "width" else share for wish in wishes]
