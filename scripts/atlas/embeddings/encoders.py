"""Text encoders of models: found in fingerprints, with their configuration and tokeniser."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from atlas.architectures import catalogue
from atlas.basis import sealed
from atlas.basis.errors import AtlasError
from atlas.embeddings.families import Family, family_of, settings_of
from atlas.names.components import part_of
from atlas.networks import tokenizers
from atlas.networks.sources import Source
from atlas.tensors.tensors import Unread

READ = ["name", "component", "shape", "numel", "digest"]
"""Columns of fingerprints."""

COLUMNS = [
    "model", "component", "encoder", "family", "class", "width", "layers", "vocabulary",
    "parameters", "configuration", "tokenizer", "problem",
]  # fmt: skip


@dataclass(frozen=True)
class Encoder:
    """One text encoder of one model."""

    model: str
    component: str
    id: str
    """Digest of its weights and of what its configuration decides: equal for equal ones."""
    family: str
    class_name: str
    config: dict[str, Any]
    width: int
    layers: int
    vocabulary: int
    parameters: int
    configuration: str
    """Where its configuration was found."""
    tokenizer: str
    """Folder of its tokeniser."""
    is_own_tokenizer: bool
    """Whether the tokeniser says what texts are filled up with; the standard one does not."""


@dataclass(frozen=True)
class Problem:
    """A text encoder, or a model, that can't be run, and why."""

    model: str
    component: str
    text: str


@dataclass(frozen=True)
class Places:
    """Where configurations and tokenisers are looked for beside the models' own folders."""

    configurations: Sequence[Path] = ()
    """Diffusers folders; one counts where it fits the weights."""
    tokenizers: Mapping[str, Path] | None = None
    """Family to folder, as the settings give them."""
    standard: Path | None = None
    """CLIP's own vocabulary."""


def find(
    model: str, fingerprint: Path, checkpoint: Path, places: Places
) -> list[Encoder | Problem]:
    """
    Return the text encoders of a model, in order of component.

    A model without any has a problem that says so.

    Reads the fingerprint and JSON files, no weight.

    Parameters
    ----------
    checkpoint
        The model's file or folder, whose own configurations and tokenisers come first.
    """
    table, notes = sealed.read(fingerprint, READ)
    if problem := notes.get("problem"):
        return [Problem(model, "", str(problem))]
    rows = table.to_pandas()
    found: list[Encoder | Problem] = []
    for component, told in notes.get("unread", {}).items():
        if part_of(component) == "text_encoder":
            found.append(Problem(model, component, Unread(**told).in_full))
    for component, tensors in rows.groupby("component", sort=True):
        if part_of(str(component)) != "text_encoder":
            continue
        try:
            found.append(_encoder(model, str(component), tensors, notes, checkpoint, places))
        except AtlasError as error:
            found.append(Problem(model, str(component), str(error)))
    if not found:
        held = ", ".join(sorted(rows["component"].unique())) or "nothing that is read"
        found.append(Problem(model, "", f"has no text encoder: it has {held}"))
    return sorted(found, key=lambda each: each.component)


def _encoder(
    model: str,
    component: str,
    tensors: pd.DataFrame,
    notes: Mapping[str, Any],
    checkpoint: Path,
    places: Places,
) -> Encoder:
    names = tensors["name"].str.removeprefix(f"{component}/")
    family = family_of(set(names))
    if family is None:
        known = ", ".join(sorted(notes.get("architectures", {}).values())) or "no known one"
        raise AtlasError(
            f"{checkpoint}: its {component} is of a kind that can't be run here (architectures: "
            f"{known}); docs/embeddings.md tells which kinds can"
        )
    kept = names.map(family.has)
    sides = (tuple(map(int, shape)) for shape in tensors["shape"][kept])
    shapes = dict(zip(names[kept], sides, strict=True))
    recognised = notes.get("architectures", {}).values()
    found = _configured(component, family, shapes, checkpoint, recognised, places)
    own, tokenizer = _tokenizer(component, family, found, checkpoint, places)
    weights = sorted(zip(names[kept], tensors["digest"][kept], strict=True))
    vocabulary, width = shapes[family.embedding]
    return Encoder(
        model=model,
        component=component,
        id=_digest(weights, found.class_name, family.state_of(found.config)),
        family=family.name,
        class_name=found.class_name,
        config=dict(found.config),
        width=width,
        layers=family.count_layers(shapes),
        vocabulary=vocabulary,
        parameters=int(tensors["numel"][kept].sum()),
        configuration=found.place,
        tokenizer=str(tokenizer),
        is_own_tokenizer=own,
    )


def _digest(weights: Sequence[tuple[str, str]], class_name: str, state: str) -> str:
    told = json.dumps([weights, class_name, state])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class _Configuration:
    class_name: str
    config: Mapping[str, Any]
    place: str
    folder: Path | None = None
    """The pipeline's folder that it is of, and the component there."""
    component: str = ""
    repository: str | None = None


def _configured(
    component: str,
    family: Family,
    shapes: Mapping[str, tuple[int, ...]],
    checkpoint: Path,
    recognised: Collection[str],
    places: Places,
) -> _Configuration:
    """Return the first configuration that fits: the model's own, one of the given, a known one."""
    own = _of_folder(checkpoint, component) if checkpoint.is_dir() else iter(())
    misfits = []
    for found in own:
        if (misfit := family.misfit(found.config, shapes)) is None:
            return _classed(found, family, shapes)
        misfits.append(f"{found.place} is not that of its {component}: {misfit}")
    if misfits:
        raise AtlasError(f"{checkpoint}: {misfits[0]}")
    for found in _others(component, recognised, places):
        if (config := family.borrowed(found.config, shapes)) is not None:
            return _classed(replace(found, config=config), family, shapes)
    looked = ", ".join(map(str, places.configurations)) or "none"
    told = ", ".join(f"{key} {value}" for key, value in family.numbers_of(shapes).items())
    raise AtlasError(
        f"{checkpoint}: how its {component} is built ({told}) is told neither by a folder of its "
        f"own, nor by those given (embeddings › configurations: {looked}), nor by the catalogue; "
        "give the diffusers folder of a model with such a one"
    )


CLIP_CLASSES = ("CLIPTextModel", "CLIPTextModelWithProjection")


def _classed(
    found: _Configuration, family: Family, shapes: Mapping[str, tuple[int, ...]]
) -> _Configuration:
    """Return a configuration with the class that the weights are of: CLIP's has a projection."""
    if found.class_name not in CLIP_CLASSES:
        return found
    return replace(found, class_name=CLIP_CLASSES[family.projection in shapes])


def _others(
    component: str, recognised: Collection[str], places: Places
) -> Iterator[_Configuration]:
    """Yield those of the given folders, then the catalogue's: recognised architectures first."""
    for folder in places.configurations:
        yield from _of_folder(folder, component)
    for entry in sorted(catalogue.all_entries(), key=lambda each: each.name not in recognised):
        for name, encoder in entry.text_encoders.items():
            yield _Configuration(
                encoder.class_name, encoder.config, f"catalogue: {entry.name}",
                component=name, repository=entry.repository,
            )  # fmt: skip


def _of_folder(folder: Path, component: str) -> Iterator[_Configuration]:
    """
    Yield the configurations of text encoders in a folder, that of the component's name first.

    A folder may call by another name what is known by its shapes as the component.
    """
    source = Source(component, folder)
    others = sorted(path.name for path in folder.glob("text_encoder*") if path.name != component)
    for name in (component, *others):
        if (config := source.config(name)) is None:
            continue
        stated = config.get("_class_name") or next(iter(config.get("architectures") or ()), "")
        yield _Configuration(
            str(stated), settings_of(config), str(folder / name), folder=folder, component=name
        )


def _tokenizer(
    component: str, family: Family, found: _Configuration, checkpoint: Path, places: Places
) -> tuple[bool, Path]:
    """Return whether a tokeniser tells its padding, and its folder; the nearest one comes first."""
    beside = [] if found.folder is None else [found.folder / tokenizers.folder_of(found.component)]
    given = (places.tokenizers or {}).get(family.name)
    told = [] if given is None else [(False, given)]
    if found.folder == checkpoint:
        told = [*((True, folder) for folder in (*beside, checkpoint)), *told]
    else:
        told += [(True, folder) for folder in beside]
    if family.name == "clip" and places.standard:
        told.append((False, places.standard))
    for is_own, folder in told:
        if tokenizers.is_tokenizer(folder):
            return is_own, folder
    looked = [str(folder) for _, folder in told]
    for repository, subfolder in (
        (found.repository, tokenizers.folder_of(found.component)),
        (family.tokenizer, ""),
    ):
        if repository is not None:
            try:
                return bool(subfolder), tokenizers.fetched(repository, subfolder)
            except AtlasError as error:
                looked.append(str(error))
    raise AtlasError(
        f"{checkpoint}: the tokenizer of its {component} was found nowhere (looked for: "
        f"{'; '.join(looked) or 'no place'}); give its folder: embeddings › tokenizers › "
        f"{family.name}"
    )


def table(found: Sequence[Encoder | Problem]) -> pd.DataFrame:
    """Return encoders and problems as the table that users read, in the order given."""
    return pd.DataFrame([_row(each) for each in found], columns=COLUMNS)


def _row(each: Encoder | Problem) -> dict[str, Any]:
    told: dict[str, Any] = {"model": each.model, "component": each.component}
    if isinstance(each, Problem):
        return told | {"problem": each.text}
    row = asdict(each)
    same = {key: row[key] for key in COLUMNS if key in row}
    return told | same | {"encoder": each.id, "class": each.class_name}


def dumped(found: Sequence[Encoder | Problem]) -> str:
    """Return encoders and problems as JSON, for `loaded`."""
    told = {
        "encoders": [asdict(each) for each in found if isinstance(each, Encoder)],
        "problems": [asdict(each) for each in found if isinstance(each, Problem)],
    }
    return json.dumps(told, indent=1) + "\n"


def loaded(path: Path) -> tuple[list[Encoder], list[Problem]]:
    """Return the encoders and the problems that `dumped` wrote."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return (
        [Encoder(**each) for each in told["encoders"]],
        [Problem(**each) for each in told["problems"]],
    )
