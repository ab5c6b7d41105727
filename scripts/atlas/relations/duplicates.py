"""Which files of a group are there twice: what could go, and what sharing components would save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from atlas.relations.derivations import CAST, COPY, PRUNE, Derivations, Step
from atlas.relations.holdings import UNKNOWN, Codes, Flags, Holdings, Pairs

EXACT, ROUNDED = "bit for bit", "rounded"

HEADER_BYTES = 1024
"""Of a file, at most, that name a tensor and tell where it lies: pickles take some 350."""
HEADER_SHARE = 0.01
"""Of a file, at most, that is neither weights nor names of tensors."""

Places = Mapping[tuple[int, int], int]
"""A checkpoint's files by what a disk knows them by (device and inode), with their bytes."""


@dataclass(frozen=True)
class Duplicate:
    """A model whose weights follow from those of a model that stays."""

    model: str
    of: str
    """The model that stays."""
    chain: tuple[tuple[str, Step], ...]
    """From the model to the one that stays: who comes next, and how the one before follows."""
    frees: int | None
    """Bytes of its files that no model that stays needs; None where the files are not there."""

    @property
    def relation(self) -> str:
        """`copy`, `cast` or `prune`: what takes most away on the way to the model that stays."""
        on_the_way = {step.relation for _, step in self.chain}
        return next(kind for kind in (PRUNE, CAST, COPY) if kind in on_the_way)

    @property
    def exact(self) -> str:
        """EXACT or ROUNDED."""
        return ROUNDED if any(step.rounded for _, step in self.chain) else EXACT


@dataclass(frozen=True)
class Family:
    """Models that hold a component bit for bit."""

    component: str
    models: tuple[str, ...]
    """In the roster's order."""
    bytes: int | None
    """Of the component, once; None where they are not known."""

    @property
    def bytes_in_all(self) -> int | None:
        """Of the component in all models."""
        return None if self.bytes is None else self.bytes * len(self.models)


@dataclass(frozen=True)
class Report:
    """What is there twice in a group."""

    models: tuple[str, ...]
    """In the roster's order."""
    compared: tuple[str, ...]
    """Those of them that hold weights which are compared."""
    duplicates: Mapping[str, Duplicate]
    """By model, in the roster's order."""
    unjudged: Mapping[str, str]
    """Why a model is never said to be able to go, by model."""
    families: tuple[Family, ...]
    """Of two models or more: by component, the largest first."""
    sharing_frees: int
    """Bytes that sharing each component once among those that stay would save."""
    weights_bytes: Mapping[str, int | None]
    """Of a model's weights as stored; None where they are not known."""
    files_bytes: int | None
    """Of all files, each once; None where none is there."""
    components: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each model holds."""

    @property
    def frees(self) -> int:
        """Bytes of all files that could go."""
        return sum(each.frees or 0 for each in self.duplicates.values())


def report(
    identity: pd.DataFrame,
    described: pd.DataFrame,
    models: Sequence[str],
    files: Mapping[str, Places],
) -> Report:
    """
    Return what is there twice.

    A model could go where its weights follow from those of one that stays (`Derivations`). Which
    stay is chosen greedily: the model from which most others follow, of several the roster's first.
    Models that follow are judged by their weights alone, so one whose files hold something else in
    earnest, as an optimizer's state, never goes, nor one with a component that was not read.

    Parameters
    ----------
    identity
        The group's identity table: the columns `holdings.READ`.
    described
        The group's table of models, as texts (`holdings.read_models`).
    models
        All models of the group, in the roster's order.
    files
        Model to its files; one whose files are not there has none.
    """
    pairs = Pairs.of(identity, models)
    holdings = Holdings.of(pairs, described)
    derivations = Derivations(pairs, holdings)
    unjudged = _unjudged(holdings, described, files)
    kept = _kept(derivations.closed, [model in unjudged for model in models])
    duplicates = _duplicates(derivations, kept, files)
    shared = _families(pairs, holdings)
    stay = [model for model in models if model not in duplicates]
    every = {place: size for own in files.values() for place, size in own.items()}
    return Report(
        models=tuple(models),
        compared=tuple(np.array(models, object)[holdings.held.any(axis=1)]),
        duplicates=duplicates,
        unjudged=unjudged,
        families=tuple(shared),
        sharing_frees=_sharing_frees(shared, stay, files),
        weights_bytes=_weights_bytes(described),
        files_bytes=sum(every.values()) if every else None,
        components={
            model: tuple(np.array(pairs.components, object)[held])
            for model, held in zip(models, holdings.held, strict=True)
        },
    )


def _weights_bytes(described: pd.DataFrame) -> dict[str, int | None]:
    sizes = pd.to_numeric(described["bytes"]).groupby(described["model"]).sum(min_count=1)
    return {str(model): None if pd.isna(size) else int(size) for model, size in sizes.items()}


def _unjudged(
    holdings: Holdings, described: pd.DataFrame, files: Mapping[str, Places]
) -> dict[str, str]:
    """Return why models are never said to be able to go."""
    told = pd.to_numeric(described["tensors"]).groupby(described["model"]).sum()
    weights = _weights_bytes(described)
    reasons = {}
    for row, model in enumerate(holdings.models):
        size = sum(files.get(model, {}).values())
        others = size - (weights.get(model) or 0)
        if holdings.is_broken[row]:
            reasons[model] = "could not be read, or not wholly"
        elif holdings.is_refused[row]:
            reasons[model] = "has weights in a form that is not read"
        elif not holdings.held[row].any():
            reasons[model] = "holds no weights that are compared"
        elif others > HEADER_SHARE * size + HEADER_BYTES * told.get(model, 0):
            reasons[model] = (
                f"{others:,} of {size:,} bytes of its files are no weights that were read"
            )
    return reasons


def _kept(closed: Flags, is_unjudged: Sequence[bool]) -> Codes:
    """Return for each model the one that stays and that it follows from; UNKNOWN where it stays."""
    follows = closed & ~np.array(is_unjudged, dtype=bool)[:, None]
    of = np.full(len(follows), UNKNOWN, dtype=np.int64)
    waits = np.ones(len(follows), dtype=bool)
    counts = follows.sum(axis=0)
    while len(counts):
        source = int(np.where(waits, counts, 0).argmax())
        if not waits[source] or not counts[source]:
            break
        goes = follows[:, source] & waits
        of[goes] = source
        waits[goes] = False
        waits[source] = False
        goes[source] = True
        counts -= follows[goes].sum(axis=0)
    return of


def _duplicates(
    derivations: Derivations, kept: Codes, files: Mapping[str, Places]
) -> dict[str, Duplicate]:
    models = derivations.models
    needed = {
        place
        for model, of in zip(models, kept, strict=True)
        if of == UNKNOWN
        for place in files.get(model, {})
    }
    found = {}
    for copy in np.flatnonzero(kept != UNKNOWN).tolist():
        way = derivations.chain(copy, int(kept[copy]))
        own = files.get(models[copy], {})
        frees = sum(size for place, size in own.items() if place not in needed) if own else None
        # A file that several models are read from goes once.
        needed |= set(own)
        found[models[copy]] = Duplicate(
            model=models[copy],
            of=models[way[-1]],
            chain=tuple(
                (models[there], derivations.step(here, there)) for here, there in pairwise(way)
            ),
            frees=frees,
        )
    return found


def _families(pairs: Pairs, holdings: Holdings) -> list[Family]:
    """Return the families of each component, the largest first."""
    same, size = pairs.has("identical"), len(pairs.models)
    found: list[Family] = []
    for number, component in enumerate(pairs.components):
        rows = np.flatnonzero(same & (pairs.component == number))
        family = _connected(pairs.a[rows], pairs.b[rows], size)
        counts = np.bincount(family, minlength=1)
        own = []
        for each in np.flatnonzero(counts > 1):
            members = np.flatnonzero(family == each)
            stored = int(holdings.bytes[members, number].max())
            names = tuple(pairs.models[member] for member in members)
            own.append(Family(component, names, None if stored == UNKNOWN else stored))
        # Stable, and the families come in the order of their first models.
        found += sorted(own, key=lambda family: -len(family.models))
    return found


def _connected(a: Codes, b: Codes, size: int) -> Codes:
    """Return for each of so many models the first that it is connected with, through others too."""
    family = np.arange(size)
    while True:
        first = np.minimum(family[a], family[b])
        before = family.copy()
        np.minimum.at(family, a, first)
        np.minimum.at(family, b, first)
        if (family == before).all():
            return family


def _sharing_frees(
    families: Sequence[Family], stay: Sequence[str], files: Mapping[str, Places]
) -> int:
    """Return the bytes of components that models hold which stay, but for one of each family."""
    staying = set(stay)
    saved = 0
    for family in families:
        # Models that are read from one file have its components once already.
        copies = {
            tuple(sorted(files.get(model, {}))) or model
            for model in family.models
            if model in staying
        }
        saved += max(0, len(copies) - 1) * (family.bytes or 0)
    return saved
