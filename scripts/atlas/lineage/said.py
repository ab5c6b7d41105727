"""What is claimed of a group's models, beside what their weights say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from atlas.basis.page import listed
from atlas.claims.claim import Claim, Parent
from atlas.claims.comparing import Answer, Found, Judgement, claims_of_part, compare
from atlas.lineage.claimed_sums import ClaimedSums
from atlas.lineage.expressions import plain
from atlas.lineage.fitted import Fits, Part
from atlas.recipes.tables import WHOLE

Claims = Mapping[str, Sequence[Claim]]
"""By model."""

EXPLAINS = "the claimed sum leaves no more than rounding does"
"""Of a claim that is true beside another recipe."""
ORDER = (Answer.CONTRADICTED, Answer.AGREES, Answer.UNDETERMINED, Answer.NOT_CHECKED)
"""Of the answers to the parts of one claim, the first of these that there is is told."""


@dataclass(frozen=True)
class Said:
    """One claim of a model as a page tells it."""

    model: str
    source: str
    what: str
    answer: Answer
    words: str


def judged(
    claims: Claims, part: Part, models: Collection[str], sums: ClaimedSums
) -> list[tuple[Claim, Judgement]]:
    """
    Return how each claim of a part of a model stands to its weights.

    A claimed sum that explains them as well as the one that was found is not contradicted.
    """
    found = found_of(part)
    answers = []
    for claim in claims_of_part(claims.get(part.target, ()), part.component, part.block):
        judgement = compare(claim, found, models)
        if judgement.answer is Answer.CONTRADICTED and sums.explains(claim, part):
            judgement = Judgement(Answer.AGREES, EXPLAINS)
        answers.append((claim, judgement))
    return answers


def found_of(part: Part) -> Found:
    """Return a part's fit as claims are compared with it."""
    weights = part.weights or (None,) * len(part.parents)
    return Found(
        verdict=part.verdict,
        weights=dict(zip(part.parents, weights, strict=True)),
        errors=dict(zip(part.parents, part.errors or (), strict=False)),
        alike=dict(zip(part.parents, part.alike, strict=False)),
        nearest=part.nearest or "",
    )


def of_model(
    claims: Claims, fits: Fits, model: str, models: Collection[str], sums: ClaimedSums
) -> list[Said]:
    """
    Return a model's claims, each source and kind once.

    A claim of several components or blocks is contradicted where one of them is, and else agrees
    where one does: what others leave open does not take that back.
    """
    parts = [part for each in fits.get(model, {}).values() for part in (each.whole, *each.blocks)]
    answers: dict[tuple[str, str], list[tuple[Claim, Judgement]]] = {}
    for claim in claims.get(model, ()):
        answers.setdefault((claim.source, claim.kind), [])
    for part in parts:
        for claim, judgement in judged(claims, part, models, sums):
            if claim.block == part.block or part.block == WHOLE:
                answers[claim.source, claim.kind].append((claim, judgement))
    told = []
    for (source, kind), found in answers.items():
        own = [claim for claim in claims[model] if (claim.source, claim.kind) == (source, kind)]
        leading = min((judgement for _, judgement in found), key=_rank, default=None)
        told.append(
            Said(
                model=model,
                source=source,
                what=_what(own),
                answer=Answer.NOT_CHECKED if leading is None else leading.answer,
                words="no part of it was compared" if leading is None else leading.words,
            )
        )
    return told


def _rank(judgement: Judgement) -> int:
    return ORDER.index(judgement.answer)


def _what(claims: Sequence[Claim]) -> str:
    """Return what is claimed, in words; of parts with weights of their own how many there are."""
    first = claims[0]
    if len({claim.parents for claim in claims}) > 1:
        names = dict.fromkeys(parent.name for claim in claims for parent in claim.parents)
        of = f" of {listed(list(names))}" if names else ""
        return f"{first.kind.removesuffix(' of')}{of}, with weights of {len(claims)} parts"
    is_lone = len(first.parents) == 1
    terms = ", ".join(_term(parent, is_lone=is_lone) for parent in first.parents)
    of = f" of {terms}" if terms else ""
    place = "" if len(claims) == 1 else f", in {len(claims)} parts"
    return f"{first.kind.removesuffix(' of')}{of}{place}"


def _term(parent: Parent, *, is_lone: bool) -> str:
    who = parent.name if parent.model in ("", parent.name) else f"{parent.name} ({parent.model})"
    is_all = is_lone and parent.weight in (None, 1.0)
    return who if is_all or parent.weight is None else f"{plain(parent.weight)} × {who}"
