"""
Which architectures the settings ask for: the names of their files, and what each is read from.

Nothing is built here: no torch, so that the workflow is parsed quickly.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from atlas import checkpoint
from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from atlas.roster.reading import unfit

ALL = "all"
UNSAFE = re.compile(r"[^\w.-]+")
"""What names of files are kept free of."""


def chosen(
    asked: Sequence[str] | str, *, setting: str, roster: Mapping[str, Path] | None = None
) -> dict[str, str]:
    """
    Return, by the name of its files, what each architecture is read from by `catalogue.load`.

    Parameters
    ----------
    asked
        "all" of the catalogue, or names of the catalogue, ids of the roster, paths of YAML files,
        diffusers folders or checkpoints, repositories on the hub.
    setting
        Where they are asked for, named in errors.
    roster
        The checkpoints of the roster's models, by id.

    Raises
    ------
    AtlasError
        for names that are not known, files that are not usable and names that are the same, all
        of them at once.
    """
    sources: dict[str, str] = {}
    faults: list[str] = []
    for entry in catalogue.names() if asked == ALL else asked:
        try:
            name, source = _named(entry, roster or {})
        except AtlasError as error:
            faults.append(str(error))
            continue
        if sources.setdefault(name, source) != source:
            faults.append(f"{sources[name]} and {source}: two entries have one name, {name}")
    if faults:
        raise AtlasError("\n".join(f"{setting}: {fault}" for fault in faults))
    return sources


def _named(entry: str, roster: Mapping[str, Path]) -> tuple[str, str]:
    """Return an entry's name and what it is read from; read what is small and here, to check it."""
    if entry in roster and entry not in catalogue.names():
        return entry, str(roster[entry])
    form = catalogue.form(entry, also=roster)
    if form in {"file", "folder", "checkpoint"} and (problem := unfit(Path(entry))):
        raise AtlasError(problem)
    if form in {"file", "folder"}:
        catalogue.load(entry)
    if form == "checkpoint":
        checkpoint.files_of(Path(entry))
    return name_of(entry), entry


def name_of(source: str) -> str:
    """
    Return the name that an architecture's files will have, without reading it.

    >>> name_of("sdxl"), name_of("my/pixel.yaml"), name_of("owner/model")
    ('sdxl', 'pixel', 'owner--model')
    """
    match catalogue.form(source):
        case "entry":
            return source
        case "folder":
            return UNSAFE.sub("_", Path(source).resolve().name)
        case "file" | "checkpoint":
            return UNSAFE.sub("_", Path(source).stem)
        case "repository":
            return source.replace("/", "--")


def files_of(source: str) -> list[Path]:
    """Return the files that say what an architecture is; of a repository on the hub, none."""
    match catalogue.form(source):
        case "entry":
            return catalogue.files_of(catalogue.FOLDER / f"{source}.yaml")
        case "folder":
            folder = Path(source)
            headers = sorted(folder.glob("*/*.safetensors"))
            return [folder / "model_index.json", *sorted(folder.glob("*/config.json")), *headers]
        case "file":
            return catalogue.files_of(Path(source))
        case "checkpoint":
            return checkpoint.files_of(Path(source))
        case "repository":
            return []
