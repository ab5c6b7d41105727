"""What a picture of a recipe shows: columns of weights, a column for each block of a component."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from atlas.lineage.fitted import TAKEN, Fitted, Part
from atlas.lineage.sentences import Teller
from atlas.recipes.verdicts import Verdict


class Look(StrEnum):
    """How a column is drawn."""

    SUM = "sum"
    NEAR = "near"
    """A sum that leaves more than rounding does."""
    EQUAL = "equal"
    """The parents are the same: any weights give it."""
    HIDDEN = "hidden"
    """Rounding hides the weights."""
    NOTHING = "nothing"
    """No sum explains it, or it was not compared."""


@dataclass(frozen=True)
class Bar:
    """One parent's weight in a column, with its standard error."""

    parent: str
    weight: float
    error: float = 0.0


@dataclass(frozen=True)
class Column:
    """A block, its weights in the order in which they are stacked, and what they leave."""

    block: str
    look: Look
    bars: tuple[Bar, ...] = ()
    left: float | None = None
    """What they do not explain, as a share of the distance from the nearest model."""
    floor: float | None = None
    """What rounding would leave, likewise."""

    @property
    def low(self) -> float:
        """Sum of the negative weights."""
        return sum(bar.weight for bar in self.bars if bar.weight < 0)

    @property
    def high(self) -> float:
        """Sum of the positive weights."""
        return sum(bar.weight for bar in self.bars if bar.weight > 0)


@dataclass(frozen=True)
class Strip:
    """A component's recipe as a picture shows it."""

    columns: tuple[Column, ...]
    parents: tuple[str, ...]
    """All models that it names, in the roster's order: each has a colour."""
    is_global: bool
    """Whether one set of weights serves all blocks: they are drawn as one bar."""


def has_strip(fitted: Fitted) -> bool:
    """Return whether there is more to draw of a component than that it is one other model's."""
    if fitted.is_by_block:
        return True
    is_hidden = fitted.whole.verdict is Verdict.UNDETERMINED and len(fitted.whole.parents) > 1
    return fitted.whole.is_sum or is_hidden


def strip_of(fitted: Fitted, teller: Teller) -> Strip:
    """Return what is drawn of a component, its blocks in the network's order."""
    is_global = not fitted.is_by_block
    parts = fitted.blocks if fitted.blocks else (fitted.whole,)
    order = _order(fitted, teller)
    columns = [_column(part, fitted.whole if is_global else part, order, teller) for part in parts]
    used = {bar.parent for column in columns for bar in column.bars}
    if not used:
        used = {teller.stand_in(fitted.whole, parent) for parent in fitted.whole.parents}
    return Strip(tuple(columns), tuple(sorted(used, key=order.index)), is_global)


def _order(fitted: Fitted, teller: Teller) -> list[str]:
    """Return all models that a component names, in the roster's order."""
    found = {
        teller.stand_in(part, parent)
        for part in (fitted.whole, *fitted.blocks)
        for parent in part.parents
    }
    return sorted(found, key=lambda model: (teller.place.get(model, len(teller.place)), model))


def _column(part: Part, weighed: Part, order: Sequence[str], teller: Teller) -> Column:
    """Return a block's column; its weights are those of the part that was weighed."""
    look, bars = _look(part, weighed, order, teller)
    is_told = part.is_sum or part.verdict in TAKEN
    return Column(
        part.block,
        look,
        bars,
        left=part.relative(part.residual) if is_told else None,
        floor=part.relative(part.floor) if is_told else None,
    )


def _look(
    part: Part, weighed: Part, order: Sequence[str], teller: Teller
) -> tuple[Look, tuple[Bar, ...]]:
    if part.verdict is Verdict.EQUAL:
        return Look.EQUAL, ()
    if weighed.verdict in TAKEN:
        return Look.SUM, tuple(
            Bar(teller.stand_in(weighed, parent), 1.0) for parent in weighed.parents[:1]
        )
    if weighed.is_sum and weighed.weights is not None:
        errors = weighed.errors or (0.0,) * len(weighed.weights)
        found = [
            Bar(teller.stand_in(weighed, parent), weight, error)
            for parent, weight, error in zip(weighed.parents, weighed.weights, errors, strict=True)
        ]
        bars = tuple(sorted(found, key=lambda bar: order.index(bar.parent)))
        return Look.NEAR if teller.comes_near(weighed) else Look.SUM, bars
    return Look.HIDDEN if weighed.verdict is Verdict.UNDETERMINED else Look.NOTHING, ()
