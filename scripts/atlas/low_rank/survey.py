"""Look for low rank in the differences of two models: a sample of each role first, then all."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TypeVar

from atlas.fingerprints.elements.files import OpenFiles
from atlas.low_rank import ranks, verdicts
from atlas.low_rank.differences import Difference, matrices
from atlas.low_rank.ranks import Kind, Rank
from atlas.low_rank.verdicts import Found, Part, Verdict

T = TypeVar("T")

SAMPLE = 4
"""Tensors of each role that are looked at first."""
LOHAS = 3
"""Tensors of each role whose structure is looked at, where the common rank is a square."""
ALL = "*"
"""What stands for all roles of a component."""

WORDS = {
    "convolution": "convolutions",
    "cross_attention": "cross-attention",
    "embedding": "embeddings",
    "feed_forward": "feed-forward layers",
    "norm": "norms",
    "other": "other tensors",
    "projection": "projections",
    "self_attention": "self-attention",
}
"""What roles are called in a sentence."""


def of_component(
    files: OpenFiles, differences: Sequence[Difference]
) -> Iterator[tuple[str, Found]]:
    """
    Yield what is found of one component of two models: of all roles, then of each.

    A role of which the sample is of full rank is left at that.

    Raises
    ------
    AtlasError
        When a file can't be read, or holds other weights than when it was fingerprinted.
    """
    roles = sorted({each.role for each in differences})
    parts = {
        role: _part(files, [each for each in differences if each.role == role]) for role in roles
    }
    words = {role: WORDS.get(role, role) for role in roles}
    if not parts:
        return
    yield ALL, verdicts.of_component(parts, words)
    for role, part in parts.items():
        if part.tensors:
            yield role, verdicts.of_role(part, words[role])


def _part(files: OpenFiles, differences: Sequence[Difference]) -> Part:
    """Look at one role's tensors."""
    tensors = [each for each in differences if each.is_matrix]
    sample = spread(tensors, SAMPLE)
    found = {each.name: _rank(files, each) for each in sample}
    low = [rank.rank for rank in found.values() if rank.kind is Kind.LOW]
    telling = [rank for rank in found.values() if rank.kind in (Kind.FULL, Kind.BURIED)]
    if len(low) >= max(1, len(telling)):
        for each in tensors:
            if each.name not in found:
                found[each.name] = _rank(files, each, max(low))
    part = Part(
        ranks=[found[each.name] for each in tensors if each.name in found],
        tensors=len(tensors),
        vectors=len(differences) - len(tensors),
    )
    decided = verdicts.of_role(part, "")
    role = differences[0].role
    logging.info("%s: %d of %d tensors, %s", role, len(found), len(tensors), decided.verdict)
    if decided.verdict is not Verdict.LORA or decided.rank is None:
        return part
    return Part(part.ranks, part.tensors, part.vectors, _loha(files, tensors, found, decided.rank))


def _loha(
    files: OpenFiles, tensors: Sequence[Difference], found: dict[str, Rank], rank: int
) -> int:
    """Return the dimension of the LoHa that the tensors of a common rank are; 0 where none."""
    of_rank = [each for each in tensors if each.name in found and found[each.name].rank == rank]
    largest = sorted(of_rank, key=lambda each: -found[each.name].side)[:LOHAS]
    dimensions = {ranks.loha_of(*matrices(files, each), rank) for each in largest}
    return dimensions.pop() if len(dimensions) == 1 else 0


def _rank(files: OpenFiles, difference: Difference, expected: int = 0) -> Rank:
    return ranks.rank_of(*matrices(files, difference), difference.dtypes, expected)


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return some of the items, evenly from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[place * (len(items) - 1) // (count - 1)] for place in range(count)]
