"""Parts of models that recipes explain: what is to be made again, from what, with which weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atlas.distances.plan import Content
from atlas.proofs.holdings import Holdings
from atlas.proofs.sources import Parent, parent_of
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Verdict

PROVABLE = (Verdict.RECOVERED, Verdict.APPROXIMATE, Verdict.EQUAL)
"""Copies and casts are decided by digests."""


@dataclass(frozen=True)
class Recipe:
    """A row of the table of fits that has weights."""

    target: str
    component: str
    block: str
    parents: tuple[str, ...]
    weights: tuple[float, ...]
    errors: tuple[float | None, ...]
    alike: tuple[tuple[str, ...], ...]
    deviating: Mapping[str, tuple[float, ...] | None]
    """Tensor that does not follow the recipe to weights of its own, where there are any."""
    is_recovered: bool = False
    """Whether rounding explains what it leaves."""
    parameters: int = 0
    floor: float = 0.0
    """L2 that rounding leaves."""


@dataclass(frozen=True)
class Tensors:
    """One tensor of the target and of all parents."""

    name: str
    target: Content
    parents: tuple[Content, ...]
    own: tuple[float, ...] | None = None
    """Weights in place of the part's."""

    @property
    def contents(self) -> tuple[Content, ...]:
        """The target's and the parents'."""
        return (self.target, *self.parents)


@dataclass(frozen=True)
class Part:
    """A part of a target, to be made again."""

    recipe: Recipe
    parents: tuple[Parent, ...]
    tensors: tuple[Tensors, ...] = field(repr=False)
    left_out: int
    """Tensors that deviate and have no weights of their own."""


def recipes(fits: Sequence[Mapping[str, Any]]) -> Iterator[Recipe]:
    """
    Yield the recipes to prove, in the order of the table.

    Where one set of weights serves a whole component it is proved at once; else block by block.

    Parameters
    ----------
    fits
        Rows of the table of fits.
    """
    at_once = {
        (row["target"], row["component"])
        for row in fits
        if row["block"] == WHOLE and _has_weights(row)
    }
    for row in fits:
        whole = row["block"] == WHOLE
        if _has_weights(row) and whole == ((row["target"], row["component"]) in at_once):
            yield _recipe(row)


def part_of(recipe: Recipe, holdings: Holdings) -> Part:
    """
    Return what a recipe is to make again.

    Raises
    ------
    AtlasError
        When a model is none of the group's, or its fingerprint is damaged.
    """
    target = holdings.of(recipe.target)
    names = [
        held.name
        for held in target.values()
        if held.component == recipe.component and recipe.block in (WHOLE, held.block)
    ]
    parents = tuple(
        parent_of(holdings, model, alike, names)
        for model, alike in zip(recipe.parents, recipe.alike, strict=True)
    )
    read = [holdings.of(parent.read) for parent in parents]
    tensors, left_out = [], 0
    for name in names:
        own = target[name].content
        others = [held[name].content for held in read if name in held]
        if len(others) < len(read) or any(each.shape != own.shape for each in others):
            continue
        if name in recipe.deviating and recipe.deviating[name] is None:
            left_out += 1
        elif own.numel:
            tensors.append(Tensors(name, own, tuple(others), recipe.deviating.get(name)))
    return Part(recipe, parents, tuple(sorted(tensors, key=_first_byte)), left_out)


def _first_byte(tensors: Tensors) -> tuple[str, int, str]:
    """Sort tensors as a sequential read of the target meets them."""
    first = tensors.target.parts[0]
    return str(first.file), first.offset, tensors.name


def _has_weights(row: Mapping[str, Any]) -> bool:
    return row["verdict"] in PROVABLE and bool(row["weights"]) and len(row["parents"] or ()) > 1


def _recipe(row: Mapping[str, Any]) -> Recipe:
    count = len(row["parents"])
    return Recipe(
        target=row["target"],
        component=row["component"],
        block=row["block"],
        parents=tuple(row["parents"]),
        weights=tuple(row["weights"]),
        errors=tuple(row["errors"] or [None] * count),
        alike=tuple(tuple(each or ()) for each in row["alike"] or [()] * count),
        deviating={
            each["name"]: tuple(each["weights"]) if each["weights"] else None
            for each in row["deviating"] or ()
        },
        is_recovered=row["verdict"] == Verdict.RECOVERED,
        parameters=row["parameters"] or 0,
        floor=row["floor"] or 0.0,
    )
