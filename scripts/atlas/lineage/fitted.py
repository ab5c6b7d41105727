"""What was fitted of a group's models, read by target and component."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from atlas.names import components
from atlas.recipes.tables import FITS, WHOLE
from atlas.recipes.verdicts import Form, Verdict

TAKEN = frozenset({Verdict.COPY, Verdict.CAST})
"""Verdicts on a part that is one other model's."""
SUMS = frozenset({Verdict.RECOVERED, Verdict.APPROXIMATE})
"""Verdicts on a part that is a sum of others, or near to one."""


@dataclass(frozen=True)
class Deviating:
    """A tensor that does not follow its block's recipe; residual and floor are absolute L2."""

    name: str
    weights: tuple[float, ...] | None
    residual: float | None
    floor: float | None


@dataclass(frozen=True)
class Part:
    """A row of the table of fits, see `atlas.recipes.tables`."""

    target: str
    component: str
    block: str
    verdict: Verdict
    form: Form | None = None
    parents: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    errors: tuple[float, ...] | None = None
    alike: tuple[tuple[str, ...], ...] = ()
    residual: float | None = None
    floor: float | None = None
    nearest: str | None = None
    distance: float | None = None
    tensors: int = 0
    parameters: int = 0
    deviating: tuple[Deviating, ...] = ()

    @property
    def is_sum(self) -> bool:
        """Whether it has weights of parents that it is a sum of, or near to."""
        return self.verdict in SUMS and self.weights is not None

    @property
    def families(self) -> list[tuple[str, ...]]:
        """Of each parent it and the other models that hold the same here, or it rounded."""
        alike = (*self.alike, *((),) * len(self.parents))
        return [(parent, *alike[place]) for place, parent in enumerate(self.parents)]

    def holders(self, place: int) -> frozenset[str]:
        """Return the models that may stand for the parent at a place."""
        return frozenset(self.families[place])

    @property
    def times_floor(self) -> float | None:
        """How many times as much as rounding the sum leaves; None where either is not known."""
        if self.residual is None or not self.floor:
            return None
        return self.residual / self.floor

    def relative(self, length: float | None) -> float | None:
        """Return an L2 as a share of the distance from the nearest other model."""
        return length / self.distance if length is not None and self.distance else None


@dataclass(frozen=True)
class Fitted:
    """All that was fitted of one component of a target."""

    whole: Part
    blocks: tuple[Part, ...]
    """In the network's order."""

    @property
    def component(self) -> str:
        """The component's name."""
        return self.whole.component

    @cached_property
    def is_by_block(self) -> bool:
        """Whether several sums or sources serve, each for some blocks (MBW)."""
        is_told = self.whole.verdict in SUMS and self.whole.weights is None
        return is_told and any(part.is_sum or part.verdict in TAKEN for part in self.blocks)

    @cached_property
    def is_sum(self) -> bool:
        """Whether it is a sum of parents, or near to one, as a whole or by block."""
        return self.whole.is_sum or self.is_by_block

    @property
    def parts(self) -> tuple[Part, ...]:
        """The rows that its recipe is told by: the blocks', or the one of the whole."""
        return self.blocks if self.is_by_block else (self.whole,)

    @cached_property
    def deviating(self) -> tuple[Deviating, ...]:
        """The tensors that follow no recipe of their block, each once."""
        rows = [self.whole, *self.blocks]
        return tuple({each.name: each for part in rows for each in part.deviating}.values())


BATCH = 512
"""Rows that are unpacked at a time: each may name hundreds of models."""

Fits = dict[str, dict[str, Fitted]]
"""Target to component to what was fitted."""


def read(table: Path, models: Sequence[str]) -> Fits:
    """
    Return a group's fits: targets in the order of `models`, components in that of a pipeline.

    Parameters
    ----------
    table
        As `fit_recipes` writes it.
    models
        The roster's order; targets that are not among them follow in the table's.
    """
    kept = _Kept()
    with pq.ParquetFile(table) as file:
        batches = file.iter_batches(BATCH, columns=FITS.names)
        parts = [_part(row, kept) for batch in batches for row in batch.to_pylist()]
    return arranged(parts, models)


def arranged(parts: Iterable[Part], models: Sequence[str]) -> Fits:
    """Return parts by target and component; a component without a row of its own has none here."""
    found: dict[str, dict[str, list[Part]]] = {}
    for part in parts:
        found.setdefault(part.target, {}).setdefault(part.component, []).append(part)
    order = dict.fromkeys([*models, *found])
    return {
        target: {
            component: _fitted(found[target][component])
            for component in sorted(found[target], key=component_rank)
        }
        for target in order
        if target in found
    }


def component_rank(component: str) -> tuple[int, str]:
    """Return what sorts components: those of a pipeline first, in its order."""
    known = list(components.WORDS)
    return known.index(component) if component in known else len(known), component


def _fitted(parts: list[Part]) -> Fitted:
    whole = next(part for part in parts if part.block == WHOLE)
    return Fitted(whole, tuple(part for part in parts if part.block != WHOLE))


class _Kept:
    """Names and lists of names, each once: of a thousand models each may name all others."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.lists: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """Return the one tuple of these names."""
        told = tuple(self.names.setdefault(name, name) for name in names or ())
        return self.lists.setdefault(told, told)


def _part(row: dict[str, Any], kept: _Kept) -> Part:
    def numbers(name: str) -> tuple[float, ...] | None:
        return None if row[name] is None else tuple(row[name])

    return Part(
        target=row["target"],
        component=row["component"],
        block=row["block"],
        verdict=Verdict(row["verdict"]),
        form=None if row["form"] is None else Form(row["form"]),
        parents=kept.of(row["parents"]),
        weights=numbers("weights"),
        errors=numbers("errors"),
        alike=tuple(map(kept.of, row["alike"] or ())),
        residual=row["residual"],
        floor=row["floor"],
        nearest=row["nearest"],
        distance=row["distance"],
        tensors=row["tensors"] or 0,
        parameters=row["parameters"] or 0,
        deviating=tuple(
            Deviating(
                each["name"],
                None if each["weights"] is None else tuple(each["weights"]),
                each["residual"],
                each["floor"],
            )
            for each in row["deviating"] or ()
        ),
    )
