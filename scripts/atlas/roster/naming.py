"""Give each checkpoint that was found an id that is safe and unique, and a label where it helps."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from atlas.checkpoint.selection import OWN_NAMES, WEIGHT_FILE
from atlas.roster.searching import repository_name

LONGEST = 80
"""Characters of an id that is written; the roster's schema allows 100."""

NO_NAMES = {
    *OWN_NAMES,
    *("pytorch_lora_weights", "learned_embeds", "ip-adapter", "weights"),
    *("unet", "transformer", "transformer_2", "prior", "decoder", "controlnet"),
    *("vae", "text_encoder", "text_encoder_2", "text_encoder_3", "image_encoder"),
}
"""Names of files and folders that tell what they are for and not which model they are of."""


@dataclass(frozen=True)
class Named:
    """What a checkpoint is called in a roster."""

    id: str
    label: str | None
    """The hub's name, where it comes from the hub's cache."""


def names_for(
    paths: Iterable[Path], *, below: Path, taken: Collection[str] = ()
) -> dict[Path, Named]:
    """
    Return a name for each path: the file's own, with the folders around it as far as is needed.

    Parameters
    ----------
    paths
        Files, folders and common names of shards, all below one folder.
    below
        That folder.
    taken
        Ids that are in use; upper and lower case make no difference.
    """
    used = {name.casefold() for name in taken}
    names = _without_needless({path: _names_of(path, below) for path in paths})
    depth = {path: _least(each) for path, each in names.items()}
    while True:
        ids = {path: _id(names[path][: depth[path]]) for path in names}
        times = Counter(ids.values())
        deeper = [
            path
            for path, name in ids.items()
            if (times[name] > 1 or name in used) and depth[path] < len(names[path])
        ]
        if not deeper:
            break
        for path in deeper:
            depth[path] += 1
    named = {}
    for path, name in ids.items():
        unique = _unused(name, used)
        used.add(unique)
        named[path] = Named(unique, _label(names[path][: depth[path]]))
    return named


def _names_of(path: Path, below: Path) -> list[str]:
    """Return what a checkpoint may be called by: its own name, then the folders around it."""
    folders = list(_absolute(path).parts[1:])
    start = max(0, len(_absolute(below).parts) - 2)
    own = _stem(folders.pop()) if not path.is_dir() else folders.pop()
    for place, folder in enumerate(folders):
        if repository := repository_name(folder):
            # behind it stand snapshots, the revision, and perhaps folders of the repository
            is_whole = len(folders) == place + 2
            inside = [] if is_whole else [*folders[place + 3 :], own]
            return [*inside[::-1], repository, *folders[min(place, start) : place][::-1]]
    return [own, *folders[start:][::-1]]


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(path.absolute()))


def _stem(name: str) -> str:
    """Return a file's name without suffix and shards; of a library's own name the mark alone."""
    match = WEIGHT_FILE.fullmatch(name.replace("?", "1"))
    if match is None:
        return Path(name).stem
    if match["base"] in OWN_NAMES:
        return f".{match['variant'] or match['late_variant'] or ''}"
    return re.sub(r"-\?+-of-\d+", "", name.removesuffix(match["suffix"]))


def _repository(names: list[str]) -> str | None:
    return next((name for name in names if "/" in name), None)


def _without_needless(names: dict[Path, list[str]]) -> dict[Path, list[str]]:
    """Leave out the own name of the only checkpoint of its repository on the hub."""
    times = Counter(map(_repository, names.values()))
    return {
        path: each[each.index(repository) :]
        if (repository := _repository(each)) and times[repository] == 1
        else each
        for path, each in names.items()
    }


def _least(names: list[str]) -> int:
    """Return how many names it takes until one says which model it is: the hub's, if any."""
    if repository := _repository(names):
        return names.index(repository) + 1
    for count, name in enumerate(names, start=1):
        if name.lower() not in NO_NAMES and not name.startswith("."):
            return count
    return len(names)


def _id(names: list[str]) -> str:
    """
    Return an id from names, the last one first: letters, digits and . _ - inside.

    >>> _id(["My Model v1.5", "国风"])
    'guofeng-my-model-v1.5'
    """
    from anyascii import anyascii

    text = anyascii("-".join(name.strip(".") for name in reversed(names))).lower()
    text = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9._]+", "-", text)).strip("-._")
    return text[:LONGEST].rstrip("-._") or "model"


def _unused(name: str, taken: Collection[str]) -> str:
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def _label(names: list[str]) -> str | None:
    """Return the hub's name, followed by what it takes beside it, or None."""
    repository = _repository(names)
    if repository is None:
        return None
    others = (name.strip(".") for name in reversed(names) if name != repository)
    return " ".join([repository, *filter(None, others)])
