"""What is said of the ranks of many tensors' differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from atlas.low_rank.ranks import FEW, FEW_GAP, Kind, Rank

SHARE = 0.8
"""The share of tensors that must agree."""
CLEAR = 2.0
"""
The least median of gaps that decides.

The values of a full tune sink by a power law: the one after the r-th is smaller by (1 + 1 / r)^p,
and a rounding that ends all of them at one rank leaves no more of a gap.
"""
LEAST = 2
"""Tensors that must agree, at least."""

COUNTED = {
    Kind.LOW: "of low rank",
    Kind.FULL: "of full rank",
    Kind.BURIED: "that sink into rounding",
}
"""What numbers of tensors are called in a sentence."""


class Verdict(StrEnum):
    """What kind of difference a part's is."""

    LORA = "lora"
    LOHA = "loha"
    LOW_RANK = "low rank"
    """Of low rank throughout, and of no common one."""
    FULL = "full"
    UNDECIDED = "undecided"
    """Nothing but rounding, too little that stands out of it, or too few tensors."""


@dataclass(frozen=True)
class Part:
    """What is known of the tensors of a role."""

    ranks: Sequence[Rank]
    """Of those that were looked at."""
    tensors: int
    """How many matrices and kernels differ."""
    vectors: int = 0
    """How many biases and norms do."""
    loha: int = 0
    """The dimension of the LoHa that they are; 0 where they are none."""


@dataclass(frozen=True)
class Found:
    """A part's verdict with its numbers."""

    verdict: Verdict
    rank: int | None
    tensors: int
    low: int
    largest: int
    full: int
    detail: str


def of_role(part: Part, words: str) -> Found:
    """
    Return what is said of one role.

    Parameters
    ----------
    words
        What the role is called in a sentence.
    """
    return _told(part, words, *_decided(part))


def of_component(parts: Mapping[str, Part], words: Mapping[str, str]) -> Found:
    """
    Return what is said of a component, whose roles may have adapters of other ranks, or none.

    Parameters
    ----------
    words
        Each role to what it is called in a sentence.
    """
    whole = Part(
        ranks=[rank for part in parts.values() for rank in part.ranks],
        tensors=sum(part.tensors for part in parts.values()),
        vectors=sum(part.vectors for part in parts.values()),
    )
    decided = {role: _decided(part) for role, part in parts.items()}
    adapted = {role: one for role, one in decided.items() if one[0] in (Verdict.LORA, Verdict.LOHA)}
    rest = {
        role: verdict
        for role, (verdict, _) in decided.items()
        if role not in adapted and _standing_out(parts[role])
    }
    if not adapted or rest:
        verdict, rank = _decided(whole)
        if adapted or verdict in (Verdict.LORA, Verdict.LOHA):
            verdict, rank = _without_agreement(adapted, rest)
        told = _told(whole, "", verdict, rank)
        if not adapted:
            return told
        sentence = "; ".join([_adapters(adapted, parts, words), *_others(rest, words)])
        return _with(told, sentence)
    kinds = {verdict for verdict, _ in adapted.values()}
    ranks = {rank for _, rank in adapted.values()}
    verdict = kinds.pop() if len(kinds) == 1 else Verdict.LOW_RANK
    told = _told(whole, "", verdict, ranks.pop() if len(ranks) == 1 else None)
    return _with(told, _adapters(adapted, parts, words) + _beside(whole))


def _without_agreement(
    adapted: Mapping[str, tuple[Verdict, int | None]], rest: Mapping[str, Verdict]
) -> tuple[Verdict, int | None]:
    """Return the verdict on a component of which some roles are adapted and others are not."""
    if adapted and set(rest.values()) <= {Verdict.LOW_RANK}:
        return Verdict.LOW_RANK, None
    return Verdict.UNDECIDED, None


def _decided(part: Part) -> tuple[Verdict, int | None]:
    """Return the verdict on a role, and its common rank."""
    telling = _telling(part.ranks)
    if not telling:
        return Verdict.UNDECIDED, None
    low = [rank for rank in telling if rank.kind is Kind.LOW]
    full = [rank for rank in telling if rank.kind is Kind.FULL]
    common = _common(low)
    fitting = [rank for rank in low if rank.rank == common]
    if len(fitting) >= max(LEAST, SHARE * len(telling)):
        least = CLEAR if common >= FEW else FEW_GAP
        if median(rank.gap for rank in fitting) >= least:
            return (Verdict.LOHA if part.loha else Verdict.LORA), common
        return Verdict.UNDECIDED, None
    if len(low) >= SHARE * len(telling):
        return Verdict.LOW_RANK, None
    if not low and len(full) >= len(telling) / 2:
        return Verdict.FULL, None
    return Verdict.UNDECIDED, None


def _common(low: Sequence[Rank]) -> int:
    """Return the rank that most have, of equally common ones the largest; 0 of nothing."""
    counts = Counter(rank.rank for rank in low)
    return max(counts, key=lambda rank: (counts[rank], rank), default=0)


def _telling(ranks: Sequence[Rank]) -> list[Rank]:
    """Return those that say something: not too small for the common rank, and beyond rounding."""
    common = _common([rank for rank in ranks if rank.kind is Kind.LOW])
    return [
        rank
        for rank in ranks
        if rank.kind is Kind.LOW
        or (rank.kind in (Kind.FULL, Kind.BURIED) and rank.side > 3 * common / 2)
    ]


def _standing_out(part: Part) -> bool:
    return bool(_telling(part.ranks))


def _told(part: Part, words: str, verdict: Verdict, rank: int | None) -> Found:
    kinds = Counter(each.kind for each in _telling(part.ranks))
    return Found(
        verdict=verdict,
        rank=rank,
        tensors=part.tensors,
        low=kinds[Kind.LOW],
        largest=max((each.rank for each in part.ranks), default=0),
        full=kinds[Kind.FULL],
        detail=_sentence(part, words, verdict, rank) + _beside(part),
    )


def _with(told: Found, sentence: str) -> Found:
    """Return what was found with other words."""
    return Found(told.verdict, told.rank, told.tensors, told.low, told.largest, told.full, sentence)


def _sentence(part: Part, words: str, verdict: Verdict, rank: int | None) -> str:
    place = f" in {words}" if words else ""
    low = [each.rank for each in part.ranks if each.kind is Kind.LOW]
    match verdict:
        case Verdict.LORA | Verdict.LOHA:
            return f"{_adapter(verdict, rank, part.loha)} baked into {words or 'it'}"
        case Verdict.LOW_RANK:
            return f"differences of rank {min(low)} to {max(low)}{place}: no one adapter's rank"
        case Verdict.FULL:
            return (
                f"full rank{place}: a full fine-tune, or an adapter whose change has full rank"
                " (DoRA, LoKr, IA3)"
            )
    kinds = Counter(each.kind for each in _telling(part.ranks))
    if not part.ranks:
        return "no matrix differs"
    if kinds[Kind.BURIED] > kinds[Kind.FULL]:
        return f"the change sinks into rounding{place}: its rank can't be told"
    if not kinds:
        return f"no more than rounding, or too small to tell{place}"
    counts = [f"{kinds[kind]} {words}" for kind, words in COUNTED.items() if kinds[kind]]
    return f"{_listed(counts)}{place}"


def _adapter(verdict: Verdict, rank: int | None, loha: int) -> str:
    if verdict is Verdict.LOHA:
        return f"LoHa of dimension {loha} (rank {rank})"
    return f"LoRA of rank {rank}"


def _adapters(
    adapted: Mapping[str, tuple[Verdict, int | None]],
    parts: Mapping[str, Part],
    words: Mapping[str, str],
) -> str:
    """Return a sentence that names each adapter with the roles that have it."""
    places: dict[str, list[str]] = {}
    for role, (verdict, rank) in adapted.items():
        places.setdefault(_adapter(verdict, rank, parts[role].loha), []).append(words[role])
    return "; ".join(f"{name} baked into {_listed(roles)}" for name, roles in places.items())


def _others(rest: Mapping[str, Verdict], words: Mapping[str, str]) -> list[str]:
    places: dict[Verdict, list[str]] = {}
    for role, verdict in rest.items():
        places.setdefault(verdict, []).append(words[role])
    return [f"{verdict} in {_listed(roles)}" for verdict, roles in places.items()]


def _beside(part: Part) -> str:
    """Return what else differs, and of how many tensors all this was told."""
    said = ""
    if part.vectors:
        said += f"; {part.vectors} biases or norms differ too, which a LoRA leaves as they are"
    if len(part.ranks) < part.tensors:
        said += f"; told by {len(part.ranks)} of {part.tensors} tensors"
    return said


def _listed(words: Sequence[str]) -> str:
    """Join words as in a sentence."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
