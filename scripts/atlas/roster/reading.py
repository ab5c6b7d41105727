"""The roster: which checkpoints there are, what is believed of them, and how they are grouped."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas.basis.errors import nearest
from atlas.basis.paths import unusable
from atlas.basis.validation import Fault, FaultyFileError, read_yaml, schema, schema_faults, show
from atlas.checkpoint import UnclearPathError, watched_files

FILLED_IN = re.compile(r"\{\s*\w[^{}]*\}|<[a-z][a-z0-9_]*>")
"""In a path, what Snakemake would put another text in the place of: wildcards, path variables."""


@dataclass(frozen=True)
class Model:
    """One checkpoint of the roster."""

    id: str
    path: Path
    """File, folder or glob; relative to the working directory where it lies inside it."""
    label: str
    architecture: str | None = None
    weights: str | None = None
    """`raw` or `ema`, where a checkpoint that has both is to be read for one of them."""
    tags: tuple[str, ...] = ()
    base: str | None = None
    recipe: dict[str, Any] | None = None


@dataclass(frozen=True)
class Group:
    """Models that are drawn together, or a published matrix in their place."""

    name: str
    models: tuple[str, ...] = ()
    ordered: bool = False
    base: str | None = None
    pairs: bool = False
    matrices: Path | None = None


@dataclass(frozen=True)
class Roster:
    """All models and groups, in the order of the file."""

    path: Path
    models: dict[str, Model]
    groups: dict[str, Group]
    missing: dict[str, str]
    """Models left out because their checkpoint is not there, and what is wrong with each."""

    @property
    def lacking(self) -> str | None:
        """What keeps the models from being compared, in a sentence with the remedy; or None."""
        if self.groups or not self.models:
            return None
        if self.missing:
            return f"{self.path}: without {', '.join(self.missing)} no group has two models."
        if len(self.models) == 1:
            return f"{self.path} has one model, and none to compare it with: add another."
        return (
            f"{self.path} has no groups, so its models are not compared: write the ids of two or "
            "more below groups › a name › models (docs/roster.md)."
        )


NONE = Roster(Path("roster.yaml"), {}, {}, {})
"""Where none is given: architectures and MACs need none."""


def load(
    path: Path, *, home: Path | None = None, skip_missing: bool = False, look: bool = True
) -> Roster:
    """
    Read and check a roster.

    Parameters
    ----------
    path
        The roster; relative paths in it are relative to its folder.
    home
        The workflow's folder. Checkpoints below its `resources/` are made by rules, in the
        working directory's own `resources/`, so they need not exist yet.
    skip_missing
        Leave models out whose checkpoint does not exist, in place of raising.
    look
        Whether to look for the checkpoints: a job of a run that has done so need not.

    Raises
    ------
    AtlasError
        The file can't be read as YAML, or has faults: all of them are listed.
    """
    document, faults = read_yaml(path)
    if document is None:
        raise FaultyFileError(path, [Fault((), "an empty file", "expected the key models")])
    faults += schema_faults(document, schema("roster"))
    if faults:
        # What breaks the form may hide what breaks the sense: both are told where they can be.
        document = _well_formed(document)
    else:
        faults += _emptiness(document)
    places = _Places(path, home)
    entries = document.get("models", {})
    models = {name: _model(name, entry, places) for name, entry in entries.items()}
    groups = {
        name: _group(name, entry, models, places)
        for name, entry in document.get("groups", {}).items()
    }
    looked_for = models if look or skip_missing else {}
    absent = {
        name: problem for name, model in looked_for.items() if (problem := places.problem(model))
    }
    faults += _twin_faults("models", models) + _twin_faults("groups", groups)
    faults += _reference_faults(models, document.get("groups", {}), groups)
    faults += _matrix_faults(groups)
    if not skip_missing:
        faults += [
            Fault(("models", name, "path"), show(entries[name]["path"], 1000), problem)
            for name, problem in absent.items()
        ]
        absent = {}
    if faults:
        raise FaultyFileError(path, faults)
    return Roster(path, *_without(absent, models, groups), absent)


def unfit(path: Path) -> str | None:
    """Return why a file that is there can't be handed to Snakemake, or None."""
    if found := FILLED_IN.search(str(path)):
        return f"{path}: Snakemake would fill in {found[0]}; rename the file or folder"
    return None


class _Places:
    """Resolve the roster's relative paths."""

    def __init__(self, roster: Path, home: Path | None) -> None:
        self.folder = roster.parent.absolute()
        self.resources = Path(os.path.normpath(home.absolute() / "resources")) if home else None

    def resolve(self, written: str) -> Path:
        path = self._below(self.folder, written)
        if self.resources and path.is_relative_to(self.resources):
            return Path("resources") / path.relative_to(self.resources)
        here = Path.cwd()
        if glob.has_magic(written) and not os.path.lexists(path):
            # brackets in the names of the folders around it are no part of the pattern
            path = self._below(_escaped(self.folder), written)
            here = _escaped(here)
        return path.relative_to(here) if path.is_relative_to(here) else path

    @staticmethod
    def _below(folder: Path, written: str) -> Path:
        with suppress(RuntimeError):  # of ~name, where there is no such user: it is told as absent
            written = str(Path(written).expanduser())
        return Path(os.path.normpath(folder / written))

    def problem(self, model: Model) -> str | None:
        """Return what is wrong with a checkpoint's path, or None."""
        if self.resources and model.path.parts[:1] == ("resources",):
            return None  # a rule makes it
        try:
            files = watched_files(model.path, weights=model.weights)
        except UnclearPathError as error:
            return str(error)
        return next(filter(None, map(unfit, files)), None)


def _escaped(folder: Path) -> Path:
    return Path(glob.escape(str(folder)))


def _well_formed(document: Any) -> dict[str, Any]:
    """Keep the entries of a faulty document that have the right form, for further checks."""
    rules = schema("roster")
    kept: dict[str, Any] = {"models": {}, "groups": {}}
    if not isinstance(document, dict):
        return kept
    for part, form in (("models", "model"), ("groups", "group")):
        entries = document.get(part)
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            own_rules = rules["$defs"][form] | {"additionalProperties": True}
            if isinstance(name, str) and not schema_faults(entry, own_rules):
                kept[part][name] = entry
    return kept


def _model(name: str, entry: dict[str, Any], places: _Places) -> Model:
    return Model(
        id=name,
        path=places.resolve(entry["path"]),
        label=entry.get("label", name),
        architecture=entry.get("architecture"),
        weights=entry.get("weights"),
        tags=tuple(entry.get("tags", ())),
        base=entry.get("base"),
        recipe=entry.get("recipe"),
    )


def _group(name: str, entry: dict[str, Any], models: dict[str, Model], places: _Places) -> Group:
    wanted = set(entry.get("tags", ()))
    tagged = [model.id for model in models.values() if wanted & set(model.tags)]
    matrices = entry.get("matrices")
    return Group(
        name=name,
        models=tuple(dict.fromkeys([*entry.get("models", ()), *tagged])),
        ordered=entry.get("ordered", False),
        base=entry.get("base"),
        pairs=entry.get("pairs", False),
        matrices=places.resolve(matrices) if matrices else None,
    )


def _emptiness(document: dict[str, Any]) -> list[Fault]:
    """A roster without checkpoints has at least published matrices."""
    if document.get("models") or any(
        "matrices" in group for group in document.get("groups", {}).values()
    ):
        return []
    problem = "missing key; only groups of published matrices need no models"
    return [Fault(("models",), "nothing", problem)]


def _twin_faults(part: str, names: Iterable[str]) -> list[Fault]:
    """Names that differ in case alone would share files on many file systems."""
    first: dict[str, str] = {}
    faults = []
    for name in names:
        twin = first.setdefault(name.casefold(), name)
        if twin != name:
            problem = f"differs from {twin} in upper and lower case only; rename one"
            faults.append(Fault((part, name), name, problem))
    return faults


def _reference_faults(
    models: dict[str, Model], entries: dict[str, Any], groups: dict[str, Group]
) -> list[Fault]:
    faults = []
    tags = sorted({tag for model in models.values() for tag in model.tags})
    for model in models.values():
        if model.base is not None and model.base not in models:
            faults.append(_absent(("models", model.id, "base"), model.base, models))
    for name, group in groups.items():
        key = ("groups", name)
        for position, member in enumerate(entries[name].get("models", ())):
            if member not in models:
                faults.append(_absent((*key, "models", str(position)), member, models))
        for position, tag in enumerate(entries[name].get("tags", ())):
            if tag not in tags:
                problem = f"no model has this tag{nearest(tag, tags)}"
                faults.append(Fault((*key, "tags", str(position)), tag, problem))
        faults += _group_faults(key, group, models)
    return faults


def _group_faults(key: tuple[str, ...], group: Group, models: dict[str, Model]) -> list[Fault]:
    if group.matrices is not None:
        if group.models or group.pairs:
            problem = "a group with matrices has no checkpoints: leave out models, tags and pairs"
            return [Fault(key, show(sorted(group.models)), problem)]
        return []
    faults = []
    if len(group.models) < 2:
        problem = "a group needs at least two models: give models, tags or matrices"
        faults.append(Fault(key, f"{len(group.models)} model(s)", problem))
    if group.base is not None and group.base not in group.models:
        hint = nearest(group.base, group.models)
        where = "not in this group" if group.base in models else "no such model"
        faults.append(Fault((*key, "base"), group.base, f"{where}{hint}"))
    return faults


def _absent(key: tuple[str, ...], found: str, valid: Iterable[str]) -> Fault:
    return Fault(key, found, f"no such model{nearest(found, valid)}")


def _matrix_faults(groups: dict[str, Group]) -> list[Fault]:
    faults = []
    for group in groups.values():
        if group.matrices is not None:
            is_there = os.path.isfile(group.matrices)  # noqa: PTH113 - also of names too long
            problem = unfit(group.matrices) if is_there else unusable(group.matrices)
            if problem:
                key = ("groups", group.name, "matrices")
                faults.append(Fault(key, str(group.matrices), problem))
    return faults


def _without(
    absent: dict[str, str], models: dict[str, Model], groups: dict[str, Group]
) -> tuple[dict[str, Model], dict[str, Group]]:
    """Leave out absent models, and groups of which fewer than two models remain."""
    present = {name: model for name, model in models.items() if name not in absent}
    kept = {}
    for name, group in groups.items():
        members = tuple(member for member in group.models if member in present)
        if group.matrices is not None or len(members) > 1:
            base = group.base if group.base in (*members, None) or group.matrices else None
            kept[name] = Group(name, members, group.ordered, base, group.pairs, group.matrices)
    return present, kept
