"""Open a checkpoint of any format and layout: from files to named tensors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from atlas.basis.errors import AtlasError, printable
from atlas.checkpoint import metadata, values
from atlas.checkpoint.files import CheckpointFiles, located
from atlas.checkpoint.formats import read_file
from atlas.checkpoint.problems import own_problem
from atlas.checkpoint.shards import check_index, read_index
from atlas.names.components import OTHER
from atlas.names.naming import name_tensors
from atlas.tensors.entries import Listing
from atlas.tensors.tensors import Checkpoint, FileMetadata, Unread


def open_checkpoint(
    path: Path, *, architecture: str | None = None, weights: str | None = None
) -> Checkpoint:
    """
    Read a checkpoint's directory of tensors and give each its canonical name.

    No weight is read: a tensor is a place in a file.

    Parameters
    ----------
    path
        A weight file, an index.json of shards, a diffusers folder, or a glob of shards.
    architecture
        What the roster says of it; "generic" keeps every name as the file has it, None
        recognises the architecture from names and shapes.
    weights
        What the roster asks for where there are both: "ema" reads the training copy in the place
        of the raw weights, "raw" prefers files that are marked so; None takes what libraries take.

    Raises
    ------
    AtlasError
        Where the file is broken, needs more than weights, or is in a form that is not read;
        whatever else goes wrong is told so too.
    """
    with own_problem(path):
        return _opened(path, architecture, weights)


def _opened(path: Path, architecture: str | None, weights: str | None) -> Checkpoint:
    files = located(path, weights)
    sets, said, broken = _read_components(path, files)
    entries = [
        replace(entry, component=component) if component else entry
        for component, listing in sets.items()
        for entry in listing.entries
    ]
    if not entries and not broken:
        raise AtlasError(f"{path}: holds no tensors; name a file of weights")
    entries, told = values.aside(entries)
    named = name_tensors(entries, architecture=architecture, averaged=weights == "ema")
    if weights == "ema" and not (files.has_average or named.averages):
        raise AtlasError(
            f"{path}: holds no training copy (EMA) of its weights; leave `weights: ema` out, or "
            "name the file as it was before pruning"
        )
    unread = broken | dict(named.refused)
    if unread and not any(tensor.component != OTHER for tensor in named.tensors):
        reasons = (f"{component}: {each.in_full}" for component, each in unread.items())
        raise AtlasError(f"{path}: {'; '.join(reasons)}")
    beside = metadata.documents(path, files)
    return Checkpoint(
        path=path,
        files=tuple(sorted(file for members in files.components.values() for file in members)),
        tensors=named.tensors,
        kind=named.kind,
        architectures=dict(named.architectures),
        findings=(
            *files.findings,
            *(finding for listing in sets.values() for finding in listing.findings),
            *named.findings,
            *told,
            *beside.findings,
        ),
        unread=unread,
        metadata=metadata.bounded([*beside.told, *said]),
    )


def _read_components(
    path: Path, files: CheckpointFiles
) -> tuple[dict[str, Listing], list[FileMetadata], dict[str, Unread]]:
    """Read each component's set of files; one that is broken does not stop the others."""
    sets: dict[str, Listing] = {}
    said: list[FileMetadata] = []
    broken = {component: _broken(path, component, why) for component, why in files.broken.items()}
    for component, members in files.components.items():
        try:
            with own_problem(path):
                listings = {file: read_file(file) for file in members}
                sets[component] = _joined(path, listings, files.indexes.get(component))
        except AtlasError as problem:
            if not component:
                raise
            broken[component] = _broken(path, component, str(problem))
        else:
            said += [metadata.of_listing(file, component, each) for file, each in listings.items()]
    return sets, said, broken


def _broken(folder: Path, component: str, problem: str) -> Unread:
    """Return what is told of a component of a folder; its size is that of what is there of it."""
    size = sum(file.stat().st_size for file in (folder / component).iterdir() if file.is_file())
    return Unread(printable(problem), max(size // 2, 1), is_broken=True)


def _joined(path: Path, listings: Mapping[Path, Listing], index: Path | None) -> Listing:
    """Return what all files of a set list together."""
    _check_keys_once(path, listings)
    if index:
        check_index(read_index(index), listings)
    return Listing(
        tuple(entry for each in listings.values() for entry in each.entries),
        findings=tuple(finding for each in listings.values() for finding in each.findings),
    )


def _check_keys_once(path: Path, listings: Mapping[Path, Listing]) -> None:
    keys: list[str] = [entry.key for each in listings.values() for entry in each.entries]
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise AtlasError(
            f"{path}: {len(twice)} keys stand in more than one of its {len(listings)} files "
            f"({twice[0]}, ...): these are no shards of one model; name one file"
        )
