"""Find the checkpoints below a folder, each once, and say what looks like one and can't be read."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.checkpoint import files_of, open_checkpoint
from atlas.checkpoint.files import MODEL_INDEX
from atlas.checkpoint.selection import NO_WEIGHTS, SUFFIXES, WeightSet, weight_sets
from atlas.checkpoint.shards import common_name, shards_of, strict_pattern_of
from atlas.roster.reading import unfit

REFUSED_SUFFIXES = (".gguf",)
"""Of files that hold a model in a form that is not read: they are listed with the remedy."""

HUB_REPOSITORY = re.compile(r"models--(?P<owner>.+?)--(?P<name>.+)")
"""A folder of the hub's cache: its `snapshots/` hold links to `blobs/`."""


@dataclass(frozen=True)
class Found:
    """A checkpoint that can be read."""

    path: Path
    """A file, a folder, or of shards their common name, with ? for the digits of their numbers."""
    pattern: Path
    """What the roster says: the same, or a glob that matches the set's own files alone."""
    kind: str
    """`model`, or what else it is: a LoRA or an embedding."""


@dataclass(frozen=True)
class LeftOut:
    """What looks like a checkpoint, and why it is none that can be read."""

    path: Path
    reason: str


def search(top: Path) -> tuple[list[Found], list[LeftOut]]:
    """
    Return the checkpoints below a folder and what was left out, each in order of path.

    Every checkpoint is opened, which reads no weight. Each real file counts once, by whatever links
    it can be reached; of a repository in the hub's cache one snapshot counts.

    Raises
    ------
    AtlasError
        The folder does not exist.
    """
    patterns, left_out = candidates(top)
    found: list[Found] = []
    seen: set[frozenset[Path]] = set()
    # what lies there itself comes before links to it
    for path in sorted(patterns, key=lambda path: (path.is_symlink(), path)):
        pattern = patterns[path]
        try:
            files = real_files(pattern)
            _check_fit(pattern)
            if files not in seen:
                seen.add(files)
                found.append(Found(path, pattern, open_checkpoint(pattern).kind))
        except (AtlasError, OSError) as error:
            left_out.append(LeftOut(path, reason(error, pattern)))
    return (
        sorted(found, key=lambda each: each.path),
        sorted(map(_writable, left_out), key=lambda each: each.path),
    )


def candidates(top: Path) -> tuple[dict[Path, Path], list[LeftOut]]:
    """
    Return what may be a checkpoint below a folder, and what can be none; none of them is opened.

    Returns
    -------
    patterns
        Path to what it is read by, as `Found` has both.
    left_out
        In no order.

    Raises
    ------
    AtlasError
        The folder does not exist.
    """
    if not top.is_dir():
        raise AtlasError(f"{top}: no such folder")
    patterns: dict[Path, Path] = {}
    left_out: list[LeftOut] = []
    for folder in _folders(top, left_out):
        if (folder / MODEL_INDEX).is_symlink() or (folder / MODEL_INDEX).is_file():
            patterns[folder] = folder
        try:
            sets = weight_sets(folder)
        except AtlasError as error:  # an index of shards, and none of them
            left_out.append(LeftOut(folder, reason(error, folder)))
            continue
        for each in sets:
            if each.files[0].name.startswith("."):
                continue
            try:
                each.check_complete()
                patterns[_path_of(each)] = _pattern_of(each)
            except AtlasError as error:
                left_out.append(LeftOut(_path_of(each), reason(error, folder, *each.files)))
        left_out += _strange_files(folder, {file for each in sets for file in each.files})
    return patterns, left_out


def real_files(path: Path, *, weights: str | None = None) -> frozenset[Path]:
    """Return a checkpoint's files with links followed: equal for two ways to one checkpoint."""
    return frozenset(file.resolve() for file in files_of(path, weights=weights))


def _folders(top: Path, left_out: list[LeftOut]) -> Iterator[Path]:
    """Yield each real folder once that may hold checkpoints; links are followed last."""
    start = top.resolve()
    seen: set[Path] = set()
    waiting, links = deque([top]), deque[Path]()
    while waiting or links:
        folder = waiting.popleft() if waiting else links.popleft()
        real = folder.resolve()
        if real in seen or (real != start and start.is_relative_to(real)):
            continue
        seen.add(real)
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            left_out.append(LeftOut(folder, f"can't be listed ({error.strerror})"))
            continue
        if HUB_REPOSITORY.fullmatch(folder.name) and (folder / "snapshots").is_dir():
            chosen, others = _snapshots(folder)
            waiting.extend(chosen)
            left_out += others
            continue
        yield folder
        if (folder / MODEL_INDEX).is_file() or (folder / MODEL_INDEX).is_symlink():
            continue  # what lies deeper is the pipeline's
        for child in inside:
            if not child.name.startswith(".") and child.is_dir():
                (links if child.is_symlink() else waiting).append(child)


def _snapshots(repository: Path) -> tuple[list[Path], list[LeftOut]]:
    """Return the snapshot of a repository that counts, and those that hold other weights."""
    main = repository / "refs" / "main"
    revision = main.read_text(encoding="utf-8", errors="replace").strip() if main.is_file() else ""
    snapshots = [each for each in (repository / "snapshots").iterdir() if each.is_dir()]
    weights = {each: _weights_below(each) for each in snapshots}
    order = sorted(
        (each for each in snapshots if weights[each]),
        key=lambda each: (each.name == revision, each.stat().st_mtime_ns, each.name),
        reverse=True,
    )
    name = repository_name(repository.name)
    others = [
        LeftOut(each, f"another snapshot of {name}; {order[0].name} was taken")
        for each in order[1:]
        if not weights[each] <= weights[order[0]]
    ]
    # where none holds weights, the newest says so
    return order[:1] or sorted(snapshots, key=lambda each: each.stat().st_mtime_ns)[-1:], others


def _weights_below(folder: Path) -> set[Path]:
    return {
        file.resolve()
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and file.is_file()
    }


def repository_name(folder: str) -> str | None:
    """
    Return the hub's name of a repository for its folder in the cache, or None.

    >>> repository_name("models--stabilityai--sdxl-turbo")
    'stabilityai/sdxl-turbo'
    """
    match = HUB_REPOSITORY.fullmatch(folder)
    return f"{match['owner']}/{match['name']}" if match else None


def _path_of(weights: WeightSet) -> Path:
    first = weights.files[0]
    return first.with_name(common_name(first)) if shards_of(first) > 1 else first


def _pattern_of(weights: WeightSet) -> Path:
    """Return a file, or the glob that matches the shards of the set and nothing else."""
    first = weights.files[0]
    return Path(strict_pattern_of(first)) if shards_of(first) > 1 else first


def _strange_files(folder: Path, known: set[Path]) -> Iterator[LeftOut]:
    """Yield what has the suffix of weights and is no file, or in a form that is not read."""
    for entry in sorted(folder.iterdir()):
        suffix = entry.suffix.lower()
        if entry.name.startswith(".") or entry in known or entry.is_dir():
            continue
        if suffix in REFUSED_SUFFIXES or (suffix in SUFFIXES and not NO_WEIGHTS.match(entry.name)):
            try:
                open_checkpoint(entry)
            except (AtlasError, OSError) as error:
                yield LeftOut(entry, reason(error, entry))
            else:
                yield LeftOut(entry, "its name holds a line break; rename it")


def _writable(left_out: LeftOut) -> LeftOut:
    """Return the same with question marks for what can't stand in a text file."""
    path, reason = (
        str(text).encode(errors="replace").decode() for text in (left_out.path, left_out.reason)
    )
    return LeftOut(Path(path), reason)


def reason(error: Exception, *paths: Path) -> str:
    """Return an error's text on one line, without the path that it begins with."""
    told = str(error)
    for path in paths:
        told = told.removeprefix(f"{path}: ").removeprefix(f"{str(path)!a}: ")
    return " ".join(told.split())


def _check_fit(pattern: Path) -> None:
    """Raise AtlasError where Snakemake could not read a file by its name."""
    for file in files_of(pattern):
        if problem := unfit(file.absolute()):
            raise AtlasError(problem.removeprefix(f"{file.absolute()}: "))
