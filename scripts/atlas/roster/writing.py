"""Write a roster for a folder of checkpoints, with an id for each that is safe and unique."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from atlas.basis.errors import AtlasError
from atlas.checkpoint.selection import SUFFIXES

_SHARD = re.compile(r"^(?P<stem>.+)-\d{5}-of-\d{5}(?P<suffix>\.[a-z]+)$")

HEADER = """\
# Written by `make roster`. Order matters: it is the order of tables and line plots, so add new
# models at the end. Relative paths are relative to this file. What each key means: docs/roster.md
"""


def find_checkpoints(folder: Path) -> list[Path]:
    """
    Return the checkpoints below a folder, sorted: single files, diffusers folders, shard globs.

    Raises
    ------
    AtlasError
        The folder does not exist or holds no checkpoint.
    """
    if not folder.is_dir():
        raise AtlasError(f"{folder}: no such folder")
    found = sorted(set(_walk(folder)))
    if not found:
        suffixes = ", ".join(sorted(SUFFIXES))
        raise AtlasError(f"{folder}: holds no checkpoint ({suffixes}, or a diffusers folder)")
    return found


def _walk(folder: Path) -> Iterator[Path]:
    if (folder / "model_index.json").is_file():
        yield folder
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        elif entry.suffix.lower() in SUFFIXES:
            shard = _SHARD.match(entry.name)
            yield entry.with_name(f"{shard['stem']}-*{shard['suffix']}") if shard else entry


def ids_for(paths: Iterable[Path]) -> dict[str, Path]:
    """
    Return an id for each path: the file's name made safe, with its folder where names repeat.

    >>> list(ids_for([Path("a/My Model v1.5.ckpt"), Path("b/other.safetensors")]))
    ['my-model-v1.5', 'other']
    """
    paths = list(paths)
    names: dict[str, list[Path]] = {}
    for path in paths:
        names.setdefault(_safe(_stem(path)), []).append(path)
    ids: dict[str, Path] = {}
    for path in paths:
        name = _safe(_stem(path))
        if len(names[name]) > 1:
            name = _safe(f"{path.parent.name}-{name}")
        ids[_unused(name, ids)] = path
    return ids


def document(folder: Path, *, roster: Path) -> str:
    """Return a roster in YAML of all checkpoints below a folder, with one group of them all."""
    ids = ids_for(find_checkpoints(folder))
    start = roster.parent.absolute()
    models = {name: {"path": _relative(path, start)} for name, path in ids.items()}
    content: dict[str, object] = {"models": models}
    if len(models) > 1:
        content["groups"] = {"all": {"models": list(models)}}
    return HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def _stem(path: Path) -> str:
    stem = path.name if path.is_dir() else path.stem
    return stem.removesuffix("-*")


def _safe(name: str) -> str:
    name = re.sub(r"[^a-z0-9._]+", "-", name.lower())
    return re.sub(r"-{2,}", "-", name).strip("-._") or "model"


def _unused(name: str, taken: Iterable[str]) -> str:
    taken, unique, number = set(taken), name, 2
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _relative(path: Path, start: Path) -> str:
    """Return the path from the roster's folder, or whole where they share only the root."""
    path = path.absolute()
    return str(path) if path.parts[1:2] != start.parts[1:2] else os.path.relpath(path, start)
