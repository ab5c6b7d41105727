"""List a checkpoint's files, quickly and without reading a weight."""

import glob
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas.basis.errors import AtlasError
from atlas.basis.paths import unusable
from atlas.checkpoint.selection import WeightSet, choose, indexed_files, lone_shard, weight_sets

INDEX_SUFFIX = ".json"
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
    AtlasError
        Where nothing is there, with the nearest name that is.
    """
    return sorted(file for files in located(path, weights).components.values() for file in files)


def located(path: Path, weights: str | None = None) -> CheckpointFiles:
    """Return the weight files of a checkpoint by component, and what was passed over."""
    # os.path, unlike Path, says False also of a name that is too long for a file system
    if os.path.isfile(path):  # noqa: PTH113
        return CheckpointFiles({"": _one_file(path)}, tuple(lone_shard(path)))
    if os.path.isdir(path):  # noqa: PTH112
        return _folder(path, weights)
    if glob.has_magic(str(path)) and not os.path.lexists(path):
        return _matches(path, weights)
    raise AtlasError(f"{path}: {unusable(path)}")


def _one_file(file: Path) -> tuple[Path, ...]:
    if file.suffix == INDEX_SUFFIX and file.name != MODEL_INDEX:
        return tuple(sorted(set(indexed_files(file).values())))
    if file.name == MODEL_INDEX:
        raise AtlasError(f"{file}: name the folder {file.parent} instead")
    return (file,)


def _matches(pattern: Path, weights: str | None) -> CheckpointFiles:
    found = sorted(map(Path, glob.glob(str(pattern), recursive=True)))  # noqa: PTH207 - absolute too
    if not found:
        raise AtlasError(f"{pattern}: no file matches")
    if len(found) == 1:
        return located(found[0], weights)
    return CheckpointFiles({"": tuple(file for file in found if file.suffix != INDEX_SUFFIX)})


def _folder(folder: Path, weights: str | None) -> CheckpointFiles:
    inside = sorted(child for child in folder.iterdir() if child.is_dir())
    components = {child.name: sets for child in inside if (sets := weight_sets(child))}
    if (folder / MODEL_INDEX).is_file() or (components and not weight_sets(folder)):
        return _diffusers_folder(folder, components, weights)
    chosen = choose(folder, weights)
    return CheckpointFiles({"": chosen.weights.files}, chosen.findings, chosen.is_average)


def _diffusers_folder(
    folder: Path, found: Mapping[str, list[WeightSet]], weights: str | None
) -> CheckpointFiles:
    listed = _listed_components(folder / MODEL_INDEX)
    components = [name for name in found if name in listed] or list(found)
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
    chosen = {component: choose(folder / component, weights) for component in components}
    return CheckpointFiles(
        {component: choice.weights.files for component, choice in chosen.items()},
        (*findings, *(finding for choice in chosen.values() for finding in choice.findings)),
        any(choice.is_average for choice in chosen.values()),
    )


def _listed_components(index: Path) -> dict[str, str]:
    """Return component to class as a pipeline's index lists them; {} where there is none."""
    if not index.is_file():
        return {}
    try:
        entries = json.loads(index.read_text(encoding="utf-8")).items()
    except (ValueError, AttributeError, RecursionError) as error:
        raise AtlasError(f"{index}: no list of components ({error!r}); fetch it again") from None
    return {
        str(name): str(entry[1])
        for name, entry in entries
        if isinstance(entry, list) and len(entry) == 2 and entry[1]
    }
