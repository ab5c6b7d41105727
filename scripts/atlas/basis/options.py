"""A command line for a function: an argument for each parameter, by its name and annotation."""

import argparse
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

SCALARS = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
LISTS = (list, Sequence, Iterable)
MAPPINGS = (dict, Mapping)
UNIONS = (Union, UnionType)
NESTED = "YAML"
"""What the help calls a value with parts."""


def parse(function: Callable[..., object], words: Sequence[str], told: str = "") -> dict[str, Any]:
    """
    Return the arguments of a function, by name, as the words of a command line give them.

    Ends the process where the words ask for help or are no arguments of the function, as argparse
    does. See `parser`.
    """
    hints = get_type_hints(function)
    given = vars(parser(function, told).parse_args(words))
    return {
        name: tuple(value) if get_origin(_bare(hints[name])) is tuple and value else value
        for name, value in given.items()
    }


def parser(function: Callable[..., object], told: str = "") -> argparse.ArgumentParser:
    """
    Return a parser with an option for each keyword-only parameter; others come by their place.

    Lists take one or more words and truth values `--x` or `--no-x`. What may be None may be left
    out. A value with parts is written in YAML or JSON, or stands in a file that `@file` names. The
    help is that of the function's module and of its own docstring.

    Parameters
    ----------
    told
        What the help says besides.
    """
    meanings, hints = _meanings(function), get_type_hints(function)
    readings = {name: _reading(_bare(hint)) for name, hint in hints.items() if name != "return"}
    has_nested = any(reading.get("metavar") == NESTED for reading in readings.values())
    paragraphs = [function.__globals__["__doc__"], _preface(function), told]
    made = argparse.ArgumentParser(
        description="\n\n".join(filter(None, paragraphs)),
        epilog=f"{NESTED}: in YAML or JSON, or @file for a file that holds it" * has_nested,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, parameter in inspect.signature(function).parameters.items():
        reading, meaning = readings[name], meanings.get(name, "")
        if parameter.default is not parameter.empty:
            reading |= {"default": parameter.default}
            meaning = f"{meaning} (default: {parameter.default})".lstrip()
        if parameter.kind is parameter.KEYWORD_ONLY:
            is_optional = "default" in reading or _bare(hints[name]) != hints[name]
            reading |= {"required": not is_optional}
            name = f"--{name.replace('_', '-')}"
        else:
            reading |= {"metavar": name}
        made.add_argument(name, help=meaning.replace("%", "%%"), **reading)
    return made


def _preface(function: Callable[..., object]) -> str:
    """Return what a docstring says before its sections."""
    return re.split(r"\n*^\w+\n-+$", inspect.getdoc(function) or "", flags=re.M)[0]


def _meanings(function: Callable[..., object]) -> dict[str, str]:
    """Return what a docstring's section of parameters says of each."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\w+\n-+$|\Z)", inspect.getdoc(function) or "", re.M | re.S
    )
    entries = re.findall(r"^(\w+)\n((?: +.+\n?)+)", section[1], re.M) if section else []
    return {name: " ".join(meaning.split()) for name, meaning in entries}


def _bare(hint: Any) -> Any:
    """Return X for the annotation `X | None`, and any other as it is."""
    inner = [each for each in get_args(hint) if each is not NoneType]
    return inner[0] if get_origin(hint) in UNIONS and len(inner) == 1 else hint


def _reading(hint: Any) -> dict[str, Any]:
    """Return how argparse reads a value of an annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if hint in SCALARS:
        return {"type": hint, "metavar": SCALARS[hint]}
    if origin is Literal:
        words = {str(choice): choice for choice in inner}
        return {"type": lambda word: words.get(word, word), "choices": inner}
    if origin in LISTS and inner[0] in SCALARS:
        return _reading(inner[0]) | {"nargs": "+"}
    if origin is tuple:
        return _reading(inner[0]) | {"nargs": "+" if ... in inner else len(inner)}
    return {"type": lambda word: _nested(word, hint), "metavar": NESTED}


def _nested(word: str, hint: Any) -> Any:
    """Read a value with parts."""
    try:
        text = Path(word[1:]).read_text(encoding="utf-8") if word.startswith("@") else word
        return _typed(_plain(text), hint)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _plain(text: str) -> Any:
    """Return what JSON or YAML says; JSON first, whose 1e-3 is text in YAML."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return yaml.safe_load(text)


def _typed(value: Any, hint: Any) -> Any:
    """
    Return a plain value as the annotation has it: paths for texts, floats for whole numbers.

    Raises
    ------
    ValueError
        The value is of another kind.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in UNIONS:
        return _first(value, inner, hint)
    if origin in MAPPINGS and isinstance(value, dict):
        return {_typed(key, inner[0]): _typed(each, inner[1]) for key, each in value.items()}
    if origin in LISTS and isinstance(value, list):
        return [_typed(each, inner[0]) for each in value]
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is hint:
        return value
    raise _wrong(value, hint)


def _first(value: Any, hints: Iterable[Any], union: Any) -> Any:
    """Return the value as the first of several annotations that it fits."""
    for hint in hints:
        try:
            return _typed(value, hint)
        except ValueError:
            continue
    raise _wrong(value, union)


def _wrong(value: Any, hint: Any) -> ValueError:
    found = textwrap.shorten(repr(value), 80)
    expected = SCALARS.get(hint) or inspect.formatannotation(hint)
    return ValueError(f"expected {expected}, found {found}")
