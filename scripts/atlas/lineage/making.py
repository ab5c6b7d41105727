"""Fitted recipes, as the graph needs them: per model and component, with its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict

COLUMNS = [
    "target", "component", "block", "verdict", "form", "parents", "weights", "errors", "alike",
    "residual", "floor",
]  # fmt: skip


@dataclass(frozen=True)
class Part:
    """How a block, or a whole component, follows from others."""

    verdict: Verdict
    form: Form | None = None
    parents: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    errors: tuple[float, ...] | None = None
    alike: tuple[tuple[str, ...], ...] = ()
    """For each parent the other models that hold the same here, or it rounded."""
    residual: float | None = None
    floor: float | None = None

    def holders(self, place: int) -> frozenset[str]:
        """Return the models that may stand for the parent at a place."""
        others = self.alike[place] if place < len(self.alike) else ()
        return frozenset((self.parents[place], *others))


@dataclass(frozen=True)
class Making:
    """The recipe of a model's component."""

    target: str
    component: str
    whole: Part
    blocks: Mapping[str, Part]

    @property
    def is_merge(self) -> bool:
        """Whether it is a sum of others, or of one that is scaled."""
        sums = (Verdict.RECOVERED, Verdict.APPROXIMATE, Verdict.UNDETERMINED)
        scaled = self.whole.form is Form.SCALED
        return self.whole.verdict in sums and len(self.whole.parents) >= (1 if scaled else 2)

    @property
    def is_recovered(self) -> bool:
        """Whether it leaves no more than rounding does."""
        return self.whole.verdict is Verdict.RECOVERED

    @property
    def is_convex(self) -> bool:
        """Whether each of its blocks lies between the parents, and one of them truly between."""
        forms = {part.form for part in (self.whole, *self.blocks.values())}
        return Form.CONVEX in forms and not forms & {Form.SIGNED, Form.SCALED}

    def weights_of(self, place: int) -> dict[str, float]:
        """
        Return the weights of the parent at a place, by block.

        A component with one set of weights has the block WHOLE alone. A block that is another
        model's, bit for bit or rounded, has 1 or 0 of the parent; one that does not tell has no
        weight.
        """
        if self.whole.weights is not None:
            return {WHOLE: self.whole.weights[place]}
        holders = self.whole.holders(place)
        found = {}
        for block, part in self.blocks.items():
            weight = _weight_in(part, holders)
            if weight is not None:
                found[block] = weight
        return found


def _weight_in(part: Part, holders: frozenset[str]) -> float | None:
    own = [place for place in range(len(part.parents)) if part.holders(place) & holders]
    if part.verdict in (Verdict.COPY, Verdict.CAST):
        return 1.0 if own else 0.0
    if part.weights is None:
        return None
    return sum(part.weights[place] for place in own) if own else 0.0


def read(path: Path) -> dict[tuple[str, str], Making]:
    """Return the recipes of a table of fits, by model and component."""
    table = pq.read_table(path, columns=COLUMNS)
    wholes: dict[tuple[str, str], Part] = {}
    blocks: dict[tuple[str, str], dict[str, Part]] = {}
    columns = (table.column(name).to_pylist() for name in COLUMNS)
    for target, component, block, *rest in zip(*columns, strict=True):
        part = _part(*rest)
        if block == WHOLE:
            wholes[target, component] = part
        else:
            blocks.setdefault((target, component), {})[block] = part
    return {
        key: Making(*key, whole=whole, blocks=blocks.get(key, {})) for key, whole in wholes.items()
    }


def _part(
    verdict: str,
    form: str | None,
    parents: list[str] | None,
    weights: list[float] | None,
    errors: list[float] | None,
    alike: list[list[str]] | None,
    residual: float | None,
    floor: float | None,
) -> Part:
    return Part(
        Verdict(verdict),
        Form(form) if form else None,
        tuple(parents or ()),
        _known(weights),
        _known(errors),
        tuple(map(tuple, alike or ())),
        residual,
        floor,
    )


def _known(numbers: list[float] | None) -> tuple[float, ...] | None:
    return tuple(numbers) if numbers and None not in numbers else None
