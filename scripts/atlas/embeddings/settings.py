"""What the settings ask of text encoders; nothing of torch here: the workflow is parsed with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from atlas.basis.errors import AtlasError, nearest
from atlas.basis.validation import Fault, FaultyFileError, show
from atlas.embeddings import word_lists

SETTINGS = "the configuration (config/config.yaml, --config)"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Listed(Protocol):
    """What is taken of a model of the roster."""

    @property
    def path(self) -> Path:
        """Its checkpoint."""


@dataclass(frozen=True)
class Settings:
    """The key `embeddings` of the settings, with names resolved."""

    groups: tuple[str, ...]
    lists: Mapping[str, Path]
    """By name."""
    configurations: tuple[Path, ...]
    tokenizers: Mapping[str, Path]


def declared(
    given: Mapping[str, Any], *, groups: Sequence[str], models: Mapping[str, Listed]
) -> Settings:
    """
    Return the settings with groups, lists and folders found.

    Parameters
    ----------
    given
        The key `embeddings`, checked against its schema.
    groups
        The roster's groups of models.
    models
        The roster's models.

    Raises
    ------
    AtlasError
        Names that there are not, all at once, with the nearest.
    """
    faults = []
    if given["groups"] == "all":
        chosen = tuple(groups)
    else:
        chosen = tuple(given["groups"])
        faults = [
            Fault(("embeddings", "groups"), show(name), f"no such group{nearest(name, groups)}")
            for name in chosen
            if name not in groups
        ]
    lists: dict[str, Path] = {}
    for name in given["lists"]:
        try:
            path = word_lists.place_of(name)
        except AtlasError as error:
            faults.append(Fault(("embeddings", "lists"), show(name), str(error)))
            continue
        if not NAME.fullmatch(path.stem):
            problem = "rename the file: letters, digits, dots, hyphens and underscores"
            faults.append(Fault(("embeddings", "lists"), show(name), problem))
        elif path.stem in lists:
            problem = f"results would be those of {lists[path.stem]} too; rename one"
            faults.append(Fault(("embeddings", "lists"), show(name), problem))
        lists.setdefault(path.stem, path)
    configurations = []
    for name in given["configurations"]:
        path = models[name].path if name in models else Path(name)
        if name not in models and not path.is_dir():
            problem = f"neither an id of the roster nor a folder{nearest(name, models)}"
            faults.append(Fault(("embeddings", "configurations"), show(name), problem))
        configurations.append(path)
    for family, folder in given["tokenizers"].items():
        if not Path(folder).is_dir():
            faults.append(
                Fault(("embeddings", "tokenizers", family), show(folder), "no such folder")
            )
    if faults:
        raise FaultyFileError(SETTINGS, faults)
    tokenizers = {family: Path(folder) for family, folder in given["tokenizers"].items()}
    return Settings(chosen, lists, tuple(configurations), tokenizers)
