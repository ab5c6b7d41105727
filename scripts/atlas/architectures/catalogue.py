"""
The catalogue of architectures: one YAML file each in config/architectures.

Adding an architecture is adding a file; config/schemas/architecture.schema.json says what
each key means. A diffusers folder, a repository on the hub or a checkpoint of a known
architecture serves as an entry too. Imports neither torch nor diffusers.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from glob import has_magic
from pathlib import Path
from typing import Any, Literal

from atlas.architectures import checkpoints, folders
from atlas.architectures.architecture import (
    Architecture,
    Component,
    Latent,
    References,
    Sampling,
    Text,
    Video,
)
from atlas.basis.errors import AtlasError, nearest
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import Fault, FaultyFileError, read_yaml, schema, schema_faults
from atlas.checkpoint.selection import SUFFIXES, weight_sets

FOLDER = CONFIG / "architectures"
EXTENDS = "extends"
OWN = frozenset({"label", "sources", "repository"})
"""What an entry says of itself alone."""
REPOSITORY = re.compile(r"^[\w.-]+/[\w.-]+$")

Form = Literal["entry", "folder", "file", "repository", "checkpoint"]
"""What an architecture is read from."""


@cache
def names() -> list[str]:
    """Return the names of all entries of the catalogue, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(source: str | Path, *, name: str | None = None, stated: str | None = None) -> Architecture:
    """
    Return an architecture by name, YAML file, diffusers folder, repository or checkpoint.

    >>> load("sdxl").latent.downsampling
    8

    Parameters
    ----------
    source
        A name of the catalogue, a path, or a repository on the hub as owner/name.
    name
        What it is to be called; by default as what it is read from is.
    stated
        What the architecture of a checkpoint or folder is said to be; else it is recognised.

    Raises
    ------
    AtlasError
        if there is no such entry, or the file or folder is not usable.
    """
    found = _read(str(source), stated)
    if name is None or name == found.name:
        return found
    # What has no label of its own is called by its name.
    rest = found.label.removeprefix(found.name)
    label = found.label if rest == found.label else f"{name}{rest}"
    return replace(found, name=name, label=label)


def _read(text: str, stated: str | None) -> Architecture:
    path = Path(text)
    match form(text):
        case "entry":
            return read(FOLDER / f"{text}.yaml")
        case "folder":
            return folders.read(path, relatives=all_entries(), stated=stated)
        case "file":
            return read(path)
        case "repository":
            folder = folders.fetch(text)
            return folders.read(folder, relatives=all_entries(), stated=stated, repository=text)
        case "checkpoint":
            known = {entry.name: entry for entry in all_entries()}
            return checkpoints.read(path, known=known, stated=stated)


def form(text: str, *, also: Iterable[str] = ()) -> Form:
    """
    Tell what an architecture is to be read from.

    Raises
    ------
    AtlasError
        if it can't be one: with the nearest name of the catalogue and of those known also.
    """
    path = Path(text)
    if text in names():
        return "entry"
    if os.path.isdir(path):  # noqa: PTH112 - False also of a name that is too long
        is_whole = (path / "model_index.json").is_file() or not weight_sets(path)
        return "folder" if is_whole else "checkpoint"
    if path.suffix in {".yaml", ".yml"}:
        return "file"
    if path.suffix.lower() in {*SUFFIXES, ".json"} or has_magic(text):
        return "checkpoint"
    if REPOSITORY.match(text):
        return "repository"
    hint = nearest(text, [*names(), *also]) or f" (known are {', '.join(names())})."
    raise AtlasError(
        f"{text}: no architecture of this name{hint} Or give an id of the roster, a YAML file, "
        "a diffusers folder, a checkpoint, or a repository as owner/name."
    )


@cache
def all_entries() -> tuple[Architecture, ...]:
    """Return all entries of the catalogue, in order of name."""
    return tuple(read(FOLDER / f"{name}.yaml") for name in names())


def read(path: Path) -> Architecture:
    """Read one YAML file, checked against the schema; all faults are told at once."""
    facts, faults = read_yaml(path)
    if isinstance(facts, dict) and not faults:
        facts = _extended(facts, path)
    faults += schema_faults(facts, schema("architecture"))
    if faults:
        raise FaultyFileError(path, faults)
    return _architecture(facts, path)


def _extended(facts: dict[str, Any], path: Path, below: tuple[str, ...] = ()) -> dict[str, Any]:
    """
    Return an entry's facts with those of the entry that it extends, where it is silent.

    Mappings are merged, all else replaces. What names an entry (`label`, `sources`, `repository`)
    is not handed on, nor the parameters that were published of a component whose configuration the
    entry changes.
    """
    if EXTENDS not in facts:
        return facts
    base = facts[EXTENDS]
    if base not in names():
        problem = f"is no name of the catalogue{nearest(str(base), names())}"
        raise FaultyFileError(path, [Fault((EXTENDS,), str(base), problem)])
    if base in below:
        raise FaultyFileError(path, [Fault((EXTENDS,), base, "it extends itself, in a circle")])
    of_base, faults = read_yaml(FOLDER / f"{base}.yaml")
    if faults:
        raise FaultyFileError(FOLDER / f"{base}.yaml", faults)
    whole = _extended(of_base, FOLDER / f"{base}.yaml", (*below, base))
    own = {key: value for key, value in facts.items() if key != EXTENDS}
    handed = {key: _handed(value, own.get(key)) for key, value in whole.items() if key not in OWN}
    return _merged(handed, own)


def _handed(facts: Any, own: Any) -> Any:
    """Return what an entry hands on: of a component that another configures anew, no count."""
    if isinstance(own, dict) and "config" in own and isinstance(facts, dict):
        return {key: value for key, value in facts.items() if key != "parameters"}
    return facts


def files_of(path: Path) -> list[Path]:
    """Return the files that an entry's file is read from: it, and those that it extends."""
    found: list[Path] = []
    while path not in found:
        found.append(path)
        facts, _ = read_yaml(path)
        base = facts.get(EXTENDS) if isinstance(facts, dict) else None
        if base in names():
            path = FOLDER / f"{base}.yaml"
    return found


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return two mappings as one: mappings in both key by key, of all else the own one."""
    shared = {
        key: _merged(value, own[key])
        for key, value in base.items()
        if isinstance(value, dict) and isinstance(own.get(key), dict)
    }
    return {**base, **own, **shared}


def _architecture(facts: dict[str, Any], path: Path) -> Architecture:
    latent = facts["latent"]
    return Architecture(
        name=path.stem,
        label=facts["label"],
        kind=facts["kind"],
        components=_components(facts),
        latent=Latent(**{"multiple": latent["patch"]} | latent),
        native_size=_size(facts["resolution"]["native"]),
        largest=facts["resolution"].get("largest"),
        text=Text(**facts["text"]) if "text" in facts else None,
        sampling=Sampling(**facts["sampling"]),
        sources=tuple(facts["sources"]),
        origin=str(path),
        repository=facts.get("repository"),
        video=Video(**facts["video"]) if "video" in facts else None,
        references=References(**facts["references"]) if "references" in facts else None,
    )


def _size(native: int | list[int]) -> tuple[int, int]:
    """Return width and height in pixels: of a square by its side, or as they are."""
    width, height = (native, native) if isinstance(native, int) else native
    return width, height


def _components(facts: dict[str, Any]) -> dict[str, Component]:
    """Name the components as diffusers does, the denoiser first."""
    denoiser = "unet" if facts["kind"] == "UNet" else "transformer"
    components = {denoiser: _component(facts["denoiser"])}
    if "vae" in facts:
        components["vae"] = _component(facts["vae"])
    for number, encoder in enumerate(facts.get("text_encoders", []), start=1):
        name = "text_encoder" if number == 1 else f"text_encoder_{number}"
        components[name] = _component(encoder, library="transformers")
    return components


def _component(facts: dict[str, Any], **further: Any) -> Component:
    rest = {key: value for key, value in facts.items() if key not in {"class", "loaded"}}
    loaded = _component(facts["loaded"], **further) if "loaded" in facts else None
    return Component(class_name=facts["class"], loaded=loaded, **rest, **further)
