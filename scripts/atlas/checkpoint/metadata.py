"""What a checkpoint's files say of its making, in bounds: known keys, texts of a bounded length."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from atlas.basis.errors import printable
from atlas.basis.shipped import load
from atlas.checkpoint.files import CheckpointFiles
from atlas.tensors.entries import Listing, fault_of_key
from atlas.tensors.tensors import FileMetadata

CARD = "README.md"
MERGEKIT = "mergekit_config.yml"
FRONT_MATTER = "front_matter"
"""Key of the table of facts that a model card begins with."""
FENCE = "---"
CONFIGURATIONS = ("model_index.json", "config.json")

LONGEST_KEY = 200
"""Characters; those that are known have 30."""

LARGEST_DOCUMENT = 2**20
"""Bytes of a document that are read; a pipeline's card has some ten thousand."""


@dataclass(frozen=True)
class Facts:
    """Which texts are kept: config/claims/metadata.yaml."""

    keys: frozenset[str]
    prefixes: tuple[str, ...]
    instead: Mapping[str, str]
    never: frozenset[str]
    configuration: tuple[str, ...]
    longest: int
    most: int
    most_keys: int

    def kept(self, texts: Mapping[str, str]) -> list[str]:
        """Return which of a file's keys are kept, in order."""
        found = [
            key
            for key in texts
            if (key in self.keys or key.startswith(self.prefixes))
            and len(key) <= LONGEST_KEY
            and not fault_of_key(key)
            and key not in self.never
            and self.instead.get(key) not in texts
        ]
        return sorted(found)[: self.most_keys]


@cache
def facts() -> Facts:
    """Return the shipped facts."""
    told = load("claims/metadata")
    return Facts(
        keys=frozenset(told["keys"]),
        prefixes=tuple(told["prefixes"]),
        instead=told["instead"],
        never=frozenset(told["never"]),
        configuration=tuple(told["configuration"]),
        longest=told["longest"],
        most=told["most"],
        most_keys=told["most_keys"],
    )


def of_listing(file: Path, component: str, listing: Listing) -> FileMetadata:
    """Return what one file of weights says, as far as its keys are known."""
    texts = {key: listing.metadata[key] for key in facts().kept(listing.metadata)}
    name = f"{component}/{file.name}" if component else file.name
    return FileMetadata(printable(name), component, texts)


@dataclass
class Documents:
    """What stands beside weights, and what could not be read of it."""

    told: list[FileMetadata] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def documents(path: Path, files: CheckpointFiles) -> Documents:
    """
    Return what documents beside the weights say: cards, configurations, a merger's settings.

    Those of a folder that is a model as a whole, or of an index of shards; a file of weights may
    share its folder with others. What can't be read is told, and nothing else stops for it.
    """
    found = Documents()
    folder = _own_folder(path, files)
    if folder is None:
        return found
    _add(found, folder / CARD, "", _front_matter)
    _add(found, folder / MERGEKIT, "", lambda text: {MERGEKIT: text})
    for component in ("", *sorted(filter(None, files.components))):
        for name in CONFIGURATIONS:
            _add(found, folder / component / name, component, _configuration)
    return found


def bounded(told: Iterable[FileMetadata]) -> tuple[FileMetadata, ...]:
    """Return those that say something; each text, and all together, no longer than allowed."""
    room = facts().most
    kept = []
    for each in told:
        texts, cut = {}, {}
        for key, text in each.texts.items():
            limit = min(facts().longest, room)
            texts[key] = _sound(text[:limit])
            if len(text) > limit:
                cut[key] = len(text)
            room -= len(texts[key])
        if texts:
            kept.append(replace(each, texts=texts, cut=cut))
    return tuple(kept)


def _own_folder(path: Path, files: CheckpointFiles) -> Path | None:
    if path.is_dir():
        return path
    index = files.indexes.get("")
    return index.parent if index else None


def _add(found: Documents, file: Path, component: str, read: Any) -> None:
    name = f"{component}/{file.name}" if component else file.name
    try:
        if not file.is_file():
            return
        with file.open("rb") as stream:
            text = stream.read(LARGEST_DOCUMENT).decode("utf-8", "replace")
        texts = read(text)
    except (OSError, ValueError, RecursionError) as error:
        told = printable(f"{error}"[:200])
        found.findings.append(
            f"{name} can't be read ({told}): what it says of the model is not known"
        )
        return
    if texts:
        found.told.append(FileMetadata(name, component, texts))


def _front_matter(text: str) -> dict[str, str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != FENCE:
        return {}
    inner = lines[1:]
    ends = [place for place, line in enumerate(inner) if line.strip() == FENCE]
    return {FRONT_MATTER: "\n".join(inner[: ends[0]])} if ends else {}


def _configuration(text: str) -> dict[str, str]:
    table = json.loads(text)
    if not isinstance(table, dict):
        return {}
    wanted = {key: table[key] for key in facts().configuration if key in table}
    return {key: value for key, found in wanted.items() if (value := _plain(found))}


def _plain(value: Any) -> str:
    """Return a text, or a list of texts as one; "" for anything else."""
    if isinstance(value, str):
        return value
    is_list = isinstance(value, Sequence) and all(isinstance(each, str) for each in value)
    return ", ".join(value) if is_list else ""


def _sound(text: str) -> str:
    """Return a text without halves of characters, which no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
