"""What tells who of two models is the parent, and how several such signs are weighed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Strength(StrEnum):
    """How much a sign counts, the strongest first; a class is never outvoted by lower ones."""

    PROOF = "proof"
    """Made again bit for bit one way, and not the other."""
    DIGESTS = "digests"
    """Told by digests of the weights: what is rounded or left out can't be got back."""
    CONVEX = "convex"
    """The child lies between its parents, to within rounding: none of them lies so."""
    CLAIM = "claim"
    """The roster or a file's metadata says so."""
    WEAK = "weak"
    """Statistics that often go one way, and need not."""
    HINT = "hint"
    """Order, names and dates."""


ORDER = tuple(Strength)
DECIDING = (Strength.PROOF, Strength.DIGESTS, Strength.CONVEX, Strength.CLAIM)
"""What decides a direction; the others only turn an edge that stays undecided."""


@dataclass(frozen=True)
class Evidence:
    """A sign of the direction between two models."""

    kind: str
    """`proof`, `between`, `declared base`, ...: what it rests on."""
    strength: Strength
    words: str
    supports: bool = True
    """Whether it speaks for the edge as it stands, from parent to child, or against it."""


@dataclass(frozen=True)
class Judgement:
    """What several signs come to."""

    is_forward: bool
    """Whether they speak for the edge as it stands rather than for its opposite."""
    is_decided: bool
    strength: Strength | None
    """Of the strongest sign; None where there is none, or where the strongest disagree."""


def rank(strength: Strength | str | None) -> int:
    """Return a strength's place, 0 for the strongest; what is no strength comes last."""
    return ORDER.index(Strength(strength)) if strength else len(ORDER)


def judged(signs: Iterable[Evidence]) -> Judgement:
    """
    Weigh signs: the strongest class decides alone, unless its own signs disagree.

    Where they disagree, or are of a class that does not decide, the direction is undecided, and
    the edge is turned as the strongest class that agrees has it.

    >>> judged([Evidence("a", Strength.CLAIM, ""), Evidence("b", Strength.WEAK, "", False)])
    Judgement(is_forward=True, is_decided=True, strength=<Strength.CLAIM: 'claim'>)
    """
    by_class: dict[Strength, set[bool]] = {}
    for sign in signs:
        by_class.setdefault(sign.strength, set()).add(sign.supports)
    agreeing = [each for each in ORDER if len(by_class.get(each, ())) == 1]
    if not agreeing:
        return Judgement(is_forward=True, is_decided=False, strength=None)
    strongest = min(by_class, key=rank)
    first = agreeing[0]
    return Judgement(
        is_forward=True in by_class[first],
        is_decided=first is strongest and first in DECIDING,
        strength=first if first is strongest else None,
    )


def in_order(signs: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return signs, each once, the strongest first."""
    return tuple(sorted(set(signs), key=lambda one: (rank(one.strength), one.kind, one.words)))


def against(signs: Sequence[Evidence], *, is_forward: bool) -> list[Evidence]:
    """Return the signs that contradict a direction."""
    return [sign for sign in signs if sign.supports is not is_forward]
