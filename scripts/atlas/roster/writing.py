"""Write a roster for a folder of checkpoints, or append to one what is new in the folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atlas.basis.errors import AtlasError
from atlas.checkpoint.selection import SUFFIXES
from atlas.roster import reading
from atlas.roster.insertion import insert, yaml_text
from atlas.roster.naming import Named, names_for
from atlas.roster.searching import Found, LeftOut, real_files, search

HEADER = """\
# Written by `make roster`. Order matters: it is the order of tables and line plots, so add new
# models at the end. Relative paths are relative to this file. What each key means: docs/roster.md
"""
LEFT_OUT = "# Left out by `make roster`, as each is no checkpoint that can be read:"
MARK = "#   - "
"""Begins the line of a checkpoint that was left out."""

GROUPS = {"lora": "loras", "embedding": "embeddings"}
"""Kind of checkpoint to the group of its own; all others are in DEFAULT_GROUP."""
DEFAULT_GROUP = "all"


@dataclass(frozen=True)
class Written:
    """The text of a roster, and what is new in it."""

    text: str
    added: tuple[str, ...]
    """Ids of the models that were not in it before."""
    left_out: tuple[LeftOut, ...]


def new(folder: Path, *, roster: Path) -> Written:
    """
    Return a roster of all checkpoints below a folder.

    Models are in one group, LoRAs and embeddings in groups of their own.

    Raises
    ------
    AtlasError
        The folder does not exist, or holds no checkpoint that can be read.
    """
    found, left_out = search(folder)
    if not found:
        suffixes = ", ".join(SUFFIXES)
        told = "".join(f"\n  {each.path}: {each.reason}" for each in left_out)
        raise AtlasError(
            f"{folder}: holds no checkpoint that can be read ({suffixes}, or a diffusers folder)"
            f"{told}"
        )
    start = _folder_of(roster)
    names = names_for((each.path for each in found), below=folder)
    content: dict[str, Any] = {"models": _entries(found, names, start)}
    members = _members(found, names)
    groups = {name: {"models": ids} for name, ids in members.items() if len(ids) > 1}
    if groups:
        content["groups"] = groups
    text = _with_left_out(HEADER + yaml_text(content), left_out, start)
    return Written(text, tuple(content["models"]), tuple(left_out))


def appended(folder: Path, *, roster: Path) -> Written:
    """
    Return a roster with what is new below a folder at the end of its lists; all else stays.

    What the roster names already is not new, not even in a comment: an entry that was commented out
    stays out. New models join the groups that `new` writes, where these are there.

    Raises
    ------
    AtlasError
        The folder does not exist, or the roster has faults.
    """
    there = reading.load(roster, skip_missing=True)
    text = roster.read_text(encoding="utf-8")
    start = _folder_of(roster)
    found, left_out = search(folder)
    known = {real_files(model.path, weights=model.weights) for model in there.models.values()}
    told = "\n".join(line for line in text.splitlines() if not line.startswith(MARK))
    fresh = [
        each
        for each in found
        if real_files(each.pattern) not in known and not _names(told, each.pattern, start)
    ]
    new_left_out = [each for each in left_out if not _names(text, each.path, start)]
    if not fresh:
        return Written(_with_left_out(text, new_left_out, start), (), tuple(new_left_out))
    taken = [*there.models, *there.missing]
    names = names_for((each.path for each in fresh), below=folder, taken=taken)
    entries = _entries(fresh, names, start)
    text = insert(text, ("models",), entries)
    text = _with_members(text, _members(fresh, names), list(there.models))
    mended = {_relative(each.path, start) for each in fresh}
    lines = text.splitlines(keepends=True)
    text = "".join(line for line in lines if _left_out_path(line) not in mended)
    return Written(_with_left_out(text, new_left_out, start), tuple(entries), tuple(new_left_out))


def _entries(
    found: Sequence[Found], names: Mapping[Path, Named], start: Path
) -> dict[str, dict[str, str]]:
    return {
        names[each.path].id: {"path": _relative(each.pattern, start)}
        | ({"label": label} if (label := names[each.path].label) else {})
        for each in found
    }


def _members(found: Sequence[Found], names: Mapping[Path, Named]) -> dict[str, list[str]]:
    """Return the ids of each group that is written."""
    members: dict[str, list[str]] = {}
    for each in found:
        group = GROUPS.get(each.kind, DEFAULT_GROUP)
        members.setdefault(group, []).append(names[each.path].id)
    return members


def _with_members(text: str, members: Mapping[str, list[str]], before: list[str]) -> str:
    """Add new models to the groups that list models; write groups where there are none yet."""
    groups = yaml.safe_load(text).get("groups")
    for name, ids in members.items():
        if groups is None:
            every = [*before, *ids] if name == DEFAULT_GROUP else ids
            if len(every) > 1:
                text = insert(text, ("groups",), {name: {"models": every}})
                groups = {name: {}}
        elif isinstance(groups.get(name, {}).get("models"), list):
            text = insert(text, ("groups", name, "models"), ids)
        elif name != DEFAULT_GROUP and name not in groups and len(ids) > 1:
            text = insert(text, ("groups",), {name: {"models": ids}})
    return text


def _with_left_out(text: str, left_out: Sequence[LeftOut], start: Path) -> str:
    """Add a line of comment for each checkpoint that was left out."""
    if not left_out:
        return text
    lines = "".join(
        f"{MARK}{_one_line(_relative(each.path, start))}: {each.reason}\n" for each in left_out
    )
    if f"{LEFT_OUT}\n" in text:
        return text.replace(f"{LEFT_OUT}\n", f"{LEFT_OUT}\n{lines}", 1)
    return f"{text.rstrip(chr(10))}\n\n{LEFT_OUT}\n{lines}"


def _left_out_path(line: str) -> str | None:
    """Return the path that the line of a checkpoint that was left out begins with."""
    return line[len(MARK) :].partition(": ")[0] if line.startswith(MARK) else None


def _names(text: str, path: Path, start: Path) -> bool:
    """Return whether a text has a path as a word."""
    word = re.escape(_one_line(_relative(path, start)))
    return re.search(rf"(?<![\w./-]){word}(?![\w./-])", text) is not None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _folder_of(roster: Path) -> Path:
    return roster.parent.absolute()


def _relative(path: Path, start: Path) -> str:
    """Return the path from the roster's folder, or whole where they share only the root."""
    path = path.absolute()
    return str(path) if path.parts[1:2] != start.parts[1:2] else os.path.relpath(path, start)
