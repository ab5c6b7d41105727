"""Plain values out of hostile texts: of known kinds and sizes, or not at all."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from atlas.basis.errors import printable
from atlas.basis.shipped import LOADER

MOST_TIMES = 4
"""Times that a text may be JSON within JSON: some tools encode twice."""
LARGEST_WEIGHT = 1000.0
LONGEST_NAME = 500
"""Characters of a name, a path or a title."""
DEEPEST = 20
"""Lists and tables within each other in a text of YAML; settings of mergers have six."""
HEXADECIMAL = re.compile(r"(?:0x)?([0-9a-f]+)")


def from_json(text: Any) -> Any:
    r"""
    Return what a text of JSON holds, decoded again while that is a text; None for anything else.

    >>> from_json('"{\\"a\\": 1}"'), from_json("{"), from_json('"plain"'), from_json("[NaN]")
    ({'a': 1}, None, None, None)
    """
    value = text
    for _ in range(MOST_TIMES):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value, parse_constant=_refused)
        except (ValueError, RecursionError):
            return None
    return None if isinstance(value, str) else value


def table_of(value: Any) -> Mapping[str, Any]:
    """Return a table, from JSON where it still is a text; {} for anything else."""
    found = from_json(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}


def list_of(value: Any) -> Sequence[Any]:
    """Return a list; () for anything else."""
    return value if isinstance(value, list) else ()


def from_yaml(text: str) -> Any:
    """Return what a text of YAML holds; None where it is none, lies too deep, or repeats itself."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.AliasEvent):
                return None  # a few lines may unfold to more than a memory holds
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                return None
        return yaml.load(text, Loader=LOADER)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def number_of(value: Any) -> float | None:
    """
    Return a number that a weight or a count may be, also one that is written as a text; or None.

    >>> number_of(0.3), number_of(" 7 "), number_of(True), number_of("nan"), number_of(10**400)
    (0.3, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value[:LONGEST_NAME] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def weight_of(value: Any) -> float | None:
    """Return a number that a weight of a merge may be, or None."""
    number = number_of(value)
    return number if number is not None and abs(number) <= LARGEST_WEIGHT else None


def weights_of(value: Any) -> list[float] | None:
    """
    Return a list of weights, also one that is a text with commas; None where one is no weight.

    >>> weights_of([0, "0.5"]), weights_of("0.1, 0.2"), weights_of([None]), weights_of(0.5)
    ([0.0, 0.5], [0.1, 0.2], None, [0.5])
    """
    parts = value.split(",") if isinstance(value, str) else value
    parts = parts if isinstance(parts, list) else [parts]
    found = [weight_of(each) for each in parts[:1000]]
    return [each for each in found if each is not None] if None not in found else None


def text_of(value: Any) -> str:
    r"""
    Return a text in one line, or a number as one; "" for anything else, and for "None" and "null".

    >>> text_of(" a\nb "), text_of(3), text_of("None"), text_of([1])
    ('a b', '3', '', '')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = f"{value:.17g}" if isinstance(value, float) else _shortened(value)
    text = printable(text[:LONGEST_NAME])
    return "" if text.casefold() in ("none", "null") else text


def digest_of(value: Any, *lengths: int) -> str:
    """
    Return a hash in small hexadecimal digits; "" where it is none of a length that is expected.

    >>> digest_of("0xAB12CD34", 8), digest_of("ab12", 8), digest_of(None, 8)
    ('ab12cd34', '', '')
    """
    if not isinstance(value, str):
        return ""
    found = HEXADECIMAL.fullmatch(value[:100].strip().lower())
    return found[1] if found and len(found[1]) in lengths else ""


def _shortened(value: str | int) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else ""
    return value


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number")
