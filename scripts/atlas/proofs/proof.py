"""Prove a recipe: make the part again from its parents, and count what is equal bit for bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from atlas.fingerprints.elements.files import OpenFiles
from atlas.proofs.direction import turned_share
from atlas.proofs.parts import Part, Tensors
from atlas.proofs.plain_numbers import plain_weights
from atlas.proofs.sampling import sample
from atlas.proofs.searching import plainest, search
from atlas.proofs.streaming import stream
from atlas.proofs.values import Making, Tally

NEARLY = 0.9999
"""Share from which on only the order of operations can be another."""

MOST = 6
"""Ways that are counted in one reading of all elements."""

READINGS = 3
"""Of a part, where what was right on the sample is not right on all."""


class Proved(StrEnum):
    """What the count says."""

    PROVED = "proved"
    """Every element is equal bit for bit."""
    ORDER = "order of operations"
    """All but one of ten thousand: the recipe, summed in another order."""
    NOT = "not proved"
    """Less; even 95 % prove nothing."""


@dataclass(frozen=True)
class Attempt:
    """One way that was tried on all elements of a part."""

    making: Making
    tally: Tally

    @property
    def verdict(self) -> Proved | None:
        """What its count says; None where the parents differ nowhere."""
        if not self.tally.elements:
            return None
        if self.tally.equal == self.tally.elements:
            return Proved.PROVED
        return Proved.ORDER if (self.tally.share or 0) >= NEARLY else Proved.NOT


@dataclass(frozen=True)
class Proof:
    """What was tried for a part, the best first; `turned` as in `turned_share`."""

    part: Part
    attempts: tuple[Attempt, ...]
    turned: float | None

    @property
    def verdict(self) -> Proved | None:
        """What the best attempt says; None where the parents differ nowhere."""
        return self.attempts[0].verdict if self.attempts else None


def prove(
    part: Part,
    files: OpenFiles,
    *,
    threads: int = 1,
    seen: Callable[[int], None] = lambda _: None,
) -> Proof:
    """
    Return how a part can be made again.

    Raises
    ------
    AtlasError
        When a file can't be read, or holds other weights than when it was fingerprinted.
    """
    recipe = part.recipe
    regular = [each for each in part.tensors if each.own is None]
    taken = sample(files, regular)
    casts = [[source.rounded for source in parent.sources] for parent in part.parents]
    ways = [
        each
        for each, _ in _worthwhile(
            search(taken, plain_weights(recipe.weights, recipe.errors), casts)
        )
    ]
    tensors = [_snapped(each, files) for each in part.tensors]
    attempts: list[Attempt] = []
    for _ in range(READINGS):
        chosen, ways = _spread(ways)
        tallies = stream(files, tensors, chosen, threads=threads, seen=seen)
        attempts += [Attempt(each, tally) for each, tally in zip(chosen, tallies, strict=True)]
        if not ways or any(each.verdict in (Proved.PROVED, None) for each in attempts):
            break
    attempts.sort(key=lambda each: each.tally.share or 0.0, reverse=True)
    if not any(each.tally.elements for each in attempts):
        return Proof(part, tuple(attempts[:1]), None)
    turned = turned_share(taken, attempts[0].making)
    return Proof(part, tuple(attempts), turned)


def is_likely(part: Part, files: OpenFiles) -> bool:
    """Tell whether a way to make a part again is right on all of the sample."""
    recipe = part.recipe
    taken = sample(files, [each for each in part.tensors if each.own is None])
    casts = [[source.rounded for source in parent.sources] for parent in part.parents]
    ways = search(taken, plain_weights(recipe.weights, recipe.errors), casts)
    return any(0 < tally.elements == tally.equal for _, tally in ways)


def _worthwhile(ways: Sequence[tuple[Making, Tally]]) -> list[tuple[Making, Tally]]:
    """Return the ways that are right on all of the sample; else the best; all of no sample."""
    right = [way for way in ways if way[1].equal == way[1].elements]
    return right or list(ways[:1])


def _spread(ways: Sequence[Making]) -> tuple[list[Making], list[Making]]:
    """Return ways of different arithmetics, as many as a reading counts, and those left."""
    first: dict[str, Making] = {}
    for each in ways:
        first.setdefault(each.arithmetic.name, each)
    chosen = list(first.values())[:MOST]
    return chosen, [each for each in ways if each not in chosen]


def _snapped(tensors: Tensors, files: OpenFiles) -> Tensors:
    """Return a tensor that deviates with plain numbers as its own weights."""
    if tensors.own is None:
        return tensors
    plain = plain_weights(tensors.own, [None] * len(tensors.own))
    return replace(tensors, own=plainest(sample(files, [tensors]), plain))
