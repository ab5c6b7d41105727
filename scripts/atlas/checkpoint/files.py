"""List a checkpoint's files, quickly and without reading a weight."""

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from atlas.basis.errors import AtlasError, printable
from atlas.basis.paths import unusable
from atlas.checkpoint.problems import UnclearPathError, own_problem
from atlas.checkpoint.selection import Choice, choose, lone_shard, weight_sets
from atlas.checkpoint.shards import (
    INDEX,
    check_numbers,
    check_one_set,
    index_beside,
    read_index,
    read_json,
)

JSON = ".json"
MODEL_INDEX = "model_index.json"
MODELS = re.compile(r"UNet|Transformer|DiT|Autoencoder|VQModel|TextModel|EncoderModel")
"""Classes of a pipeline that have weights a picture depends on; its safety checker is none."""


@dataclass(frozen=True)
class CheckpointFiles:
    """The files that make a checkpoint, by component; "" is a file of unknown contents."""

    components: Mapping[str, tuple[Path, ...]]
    findings: tuple[str, ...] = ()
    has_average: bool = False
    """Whether files were chosen whose marks say that they are the training copy (EMA)."""
    indexes: Mapping[str, Path] = field(default_factory=dict)
    """Component to the index that its shards are held against, where there is one."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Component of a folder to what is wrong with its files: the others are read without it."""


def files_of(path: Path, *, weights: str | None = None) -> list[Path]:
    """
    Return the weight files of a checkpoint, in order.

    Parameters
    ----------
    path
        A file, an index.json of shards, a diffusers folder or a glob.
    weights
        `raw` or `ema` where the roster asks for one of the two.

    Raises
    ------
    UnclearPathError
        Where nothing is there, with the nearest name that is, or several checkpoints are.
    AtlasError
        Where a file is missing or can't be read.
    """
    files = located(path, weights)
    if files.broken:
        raise AtlasError("; ".join(files.broken.values()))
    return sorted(file for members in files.components.values() for file in members)


def watched_files(path: Path, *, weights: str | None = None) -> list[Path]:
    """
    Return the files that a checkpoint is read from, with the indexes of its shards.

    None where a file is missing or can't be read: that is the checkpoint's own problem, which
    `remarks` tells, and no reason to stop before the others are read.

    Raises
    ------
    UnclearPathError
        As `files_of`.
    """
    return surveyed(path, weights=weights)[0]


def remarks(path: Path, *, weights: str | None = None) -> tuple[str, ...]:
    """Return what is said of a checkpoint's files before one is opened, its problem included."""
    try:
        return surveyed(path, weights=weights)[1]
    except UnclearPathError as problem:
        return (printable(str(problem)),)


def surveyed(path: Path, *, weights: str | None = None) -> tuple[list[Path], tuple[str, ...]]:
    """
    Return the watched files and the remarks, from one look at the folder.

    Raises
    ------
    UnclearPathError
        As `files_of`.
    """
    try:
        files = located(path, weights)
    except UnclearPathError:
        raise
    except AtlasError as problem:
        return [], (printable(str(problem)),)
    members = [file for some in files.components.values() for file in some]
    told = (*files.findings, *files.broken.values())
    return sorted({*members, *files.indexes.values()}), tuple(map(printable, told))


def located(path: Path, weights: str | None = None) -> CheckpointFiles:
    """Return the weight files of a checkpoint by component, and what was passed over; as above."""
    with own_problem(path):
        files = _located(path, weights)
    broken = dict(files.broken)
    for component, members in files.components.items():
        try:
            for file in (*members, *filter(None, [files.indexes.get(component)])):
                _check_file(file)
        except AtlasError as problem:
            if not component:
                raise
            broken[component] = str(problem)
    sound = {name: members for name, members in files.components.items() if name not in broken}
    if not sound:
        raise AtlasError("; ".join(broken.values()))
    return replace(files, components=sound, broken=broken)


def _located(path: Path, weights: str | None) -> CheckpointFiles:
    # os.path, unlike Path, says False also of a name that is too long for a file system
    if os.path.isfile(path):  # noqa: PTH113
        return _one_file(path)
    if os.path.isdir(path):  # noqa: PTH112
        return _folder(path, weights)
    if glob.has_magic(str(path)) and not os.path.lexists(path):
        return _matches(path, weights)
    raise UnclearPathError(f"{path}: {unusable(path)}")


def _check_file(file: Path) -> None:
    """Raise AtlasError where a file can't be read, or is not yet what it will be."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise AtlasError(f"{str(file)!a}: a name that is no UTF-8; rename the file") from None
    if not os.access(file, os.R_OK):
        raise AtlasError(f"{file}: may not be read; allow it (chmod u+r), or leave it out")
    if (control := file.with_name(f"{file.name}.aria2")).exists():
        raise AtlasError(
            f"{file}: its download has not ended, as {control.name} beside it says; let aria2 go "
            "on, or remove that file if it is a leftover"
        )


def _one_file(file: Path) -> CheckpointFiles:
    if file.name == MODEL_INDEX:
        raise UnclearPathError(f"{file}: name the folder {file.parent} instead")
    if file.suffix == JSON:
        return _of_index(file)
    return CheckpointFiles({"": (file,)}, tuple(lone_shard(file)))


def _of_index(file: Path) -> CheckpointFiles:
    files = read_index(file).files
    check_numbers(file, files)
    return CheckpointFiles({"": files}, indexes={"": file})


def _matches(pattern: Path, weights: str | None) -> CheckpointFiles:
    found = sorted(map(Path, glob.glob(str(pattern), recursive=True)))  # noqa: PTH207 - absolute too
    if not found:
        raise UnclearPathError(f"{pattern}: no file matches")
    if len(found) == 1 and not found[0].is_file():
        return _located(found[0], weights)
    others = [path for path in found if not path.is_file()]
    if others:
        what = "a folder" if others[0].is_dir() else "no file"
        raise AtlasError(
            f"{pattern}: matches {others[0]} too, which is {what}; narrow it to the files of one "
            "model, as in model-*-of-00002.safetensors"
        )
    files = [file for file in found if file.suffix != JSON]
    indexes = [file for file in found if INDEX.fullmatch(file.name)]
    if len(indexes) == 1:
        return _indexed_matches(pattern, files, indexes[0])
    if not files or indexes:
        found_instead = f"several indexes ({indexes[0].name}, ...)" if indexes else "no weights"
        raise UnclearPathError(f"{pattern}: matches {found_instead}; name a file or an index")
    check_one_set(pattern, files)
    index = index_beside(files[0])
    return CheckpointFiles({"": tuple(files)}, indexes={"": index} if index else {})


def _indexed_matches(pattern: Path, files: list[Path], index: Path) -> CheckpointFiles:
    """Return the shards of an index that a glob matches too, whatever they are called."""
    held = _of_index(index)
    strangers = [file for file in files if file not in held.components[""]]
    if strangers:
        raise AtlasError(
            f"{pattern}: matches {strangers[0]} too, which {index.name} does not name; write "
            f"{index} to read its shards alone"
        )
    return held


def _folder(folder: Path, weights: str | None) -> CheckpointFiles:
    inside = sorted(child for child in folder.iterdir() if child.is_dir())
    components = [child.name for child in inside if _may_hold_weights(child)]
    if (folder / MODEL_INDEX).is_file() or (components and not weight_sets(folder)):
        return _diffusers_folder(folder, components, weights)
    chosen = choose(folder, weights)
    index = chosen.weights.index
    return CheckpointFiles(
        {"": chosen.weights.files},
        chosen.findings,
        chosen.is_average,
        {"": index} if index else {},
    )


def _may_hold_weights(folder: Path) -> bool:
    """Tell whether a folder has files of weights, or an index whose files are missing."""
    try:
        return bool(weight_sets(folder))
    except AtlasError:
        return True


def _diffusers_folder(folder: Path, found: Sequence[str], weights: str | None) -> CheckpointFiles:
    listed = _listed_components(folder / MODEL_INDEX)
    components = [name for name in found if name in listed] or found
    if not components:
        raise AtlasError(f"{folder}: no component folder holds weights; fetch the model whole")
    findings = [
        f"{name}: no part of {MODEL_INDEX}, passed over" for name in found if name not in components
    ]
    findings += [
        f"{name}: {MODEL_INDEX} lists {kind}, but there are no weights of it"
        for name, kind in listed.items()
        if name not in found and MODELS.search(kind)
    ]
    chosen: dict[str, Choice] = {}
    broken: dict[str, str] = {}
    for component in components:
        try:
            with own_problem(folder / component):
                chosen[component] = choose(folder / component, weights)
        except UnclearPathError:
            raise
        except AtlasError as problem:
            broken[component] = str(problem)
    return CheckpointFiles(
        {component: choice.weights.files for component, choice in chosen.items()},
        (*findings, *(finding for choice in chosen.values() for finding in choice.findings)),
        any(choice.is_average for choice in chosen.values()),
        {name: index for name, choice in chosen.items() if (index := choice.weights.index)},
        broken,
    )


def _listed_components(index: Path) -> dict[str, str]:
    """Return component to class as a pipeline's index lists them; {} where there is none."""
    if not index.is_file():
        return {}
    return {
        str(name): str(entry[1])
        for name, entry in read_json(index).items()
        if isinstance(entry, list) and len(entry) == 2 and entry[1]
    }
