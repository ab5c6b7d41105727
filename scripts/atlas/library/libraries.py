"""Several libraries as one: files, and folders of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import xxhash

from atlas.basis.errors import AtlasError
from atlas.basis.sealing import seal_of
from atlas.library import packing
from atlas.library.entries import Entry


def files_of(paths: Iterable[Path]) -> list[Path]:
    """
    Return the files of libraries: those named, and of a folder all that end in SUFFIX.

    Raises
    ------
    AtlasError
        A folder holds none, or a file is not there.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob(f"*{packing.SUFFIX}"))
            if not inside:
                raise AtlasError(f"{path}: no library (*{packing.SUFFIX}) in this folder")
            found += inside
        elif not path.is_file():
            raise AtlasError(
                f"{path}: no such library; make one by `snakemake library`, or name another by "
                "LIBRARY="
            )
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def load(paths: Iterable[Path]) -> list[Entry]:
    """
    Return the models of all libraries, in order of id.

    A model that several of them have alike is there once. Where other models have the same id,
    all but the first go by `library:id`.

    Raises
    ------
    AtlasError
        As `packing.read`, and `files_of`.
    """
    found: dict[str, Entry] = {}
    for file in files_of(paths):
        for entry in packing.read(file):
            known = found.get(entry.model)
            if known is None:
                found[entry.model] = entry
            elif _contents(known) != _contents(entry):
                name = _free(f"{file.stem}:{entry.model}", found)
                found[name] = replace(entry, model=name)
    return [found[model] for model in sorted(found)]


def state_of(paths: Sequence[Path]) -> str:
    """Return a digest of what libraries hold: other ones give other answers."""
    seals = sorted(seal_of(file) for file in files_of(paths))
    return xxhash.xxh3_64_hexdigest("\n".join(seals).encode())


def _contents(entry: Entry) -> list[tuple[str, object]]:
    return [(part.component, part.digests) for part in entry.parts]


def _free(name: str, taken: Iterable[str]) -> str:
    names, number, free = set(taken), 1, name
    while free in names:
        number += 1
        free = f"{name}-{number}"
    return free
