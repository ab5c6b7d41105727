"""Compare what is said of a model's making with what its weights say."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from atlas.claims.claim import WHOLE, Claim, Kind, Parent

LEAST_TOLERANCE = 0.005
"""Of a weight: tools round what they write, and mergers what they save."""
ERRORS = 4.0
"""Standard errors that a weight may lie from the one claimed."""

COPIES = ("copy", "cast")
"""Verdicts of a part that is another model's, or it rounded."""
MADE_ALIKE = (Kind.CAST, Kind.COPY, Kind.PRUNE, Kind.RENAME, Kind.COMPONENT_OF)
"""Kinds of claims by which a part has one parent's own weights."""
SUMS = (Kind.WEIGHTED_SUM, Kind.ADD_DIFFERENCE)


class Answer(StrEnum):
    """How a claim stands to the weights, as tables have it."""

    AGREES = "agrees"
    CONTRADICTED = "contradicted"
    UNDETERMINED = "undetermined"
    """The weights fit the claim, and others as well."""
    NOT_CHECKED = "not checked"
    """A parent is not at hand, or no sum of weights tells what is claimed."""


@dataclass(frozen=True)
class Found:
    """What the weights say of one part of a model: a row of the table of fitted recipes."""

    verdict: str
    """One of recipes.verdicts.Verdict."""
    weights: Mapping[str, float | None] = field(default_factory=dict)
    """Of the parents that were found, by id; None where there are parents and no weights."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Standard errors of those weights; 0 for one that is not here."""
    alike: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Parent to other models that hold the same here, or it rounded."""
    nearest: str = ""
    """The nearest other model in this part; "" if none was compared."""


@dataclass(frozen=True)
class Judgement:
    """How one claim stands to the weights."""

    answer: Answer
    words: str
    """Why, for a reader: half a sentence without a full stop."""

    def __str__(self) -> str:
        return f"{self.answer}: {self.words}" if self.words else str(self.answer)


def claims_of_part(claims: Iterable[Claim], component: str, block: str = WHOLE) -> list[Claim]:
    """
    Return what is said of one part of a model: of each source that which is nearest to it.

    What is said of a block goes before what is said of its component, and that before what is said
    of the model. With `block` WHOLE, what is said of single blocks is left out, so a component that
    is said to be merged by block has no claim as a whole.
    """
    fitting: dict[str, list[tuple[tuple[bool, bool], Claim]]] = defaultdict(list)
    for claim in claims:
        if claim.component in (WHOLE, component) and claim.block in (WHOLE, block):
            how_near = (claim.component != WHOLE, claim.block != WHOLE)
            fitting[claim.source].append((how_near, claim))
    return [
        claim
        for said in fitting.values()
        for how_near, claim in said
        if how_near == max(nearness for nearness, _ in said)
    ]


def compare(claim: Claim, found: Found, models: Collection[str]) -> Judgement:
    """
    Return how a claim of one part stands to what the part's weights say.

    Parameters
    ----------
    claim
        Its parents were looked for in the roster: see `matching`.
    found
        Of the same part: of the component as a whole where the claim's block is WHOLE.
    models
        Ids that the weights were compared with: those of the group.

    Returns
    -------
    Judgement
        A sum agrees where every weight lies as near to the claimed one as `tolerance` says. Weights
        of models that are alike count together. What the verdict leaves room for is not
        contradicted.
    """
    judged = _judged(claim, found, models)
    if claim.inherited:
        return Judgement(judged.answer, f"{judged.words}; the claim may be a parent's own")
    return judged


def told(judgements: Sequence[tuple[Claim, Judgement]]) -> str:
    """
    Return what a table says of all claims of a part, "" where there are none.

    >>> claim = Claim("kohya", Kind.FINE_TUNE)
    >>> told([(claim, Judgement(Answer.AGREES, "a is nearest"))])
    'kohya agrees: a is nearest'
    """
    return "; ".join(f"{claim.source} {judgement}" for claim, judgement in judgements)


def _judged(claim: Claim, found: Found, models: Collection[str]) -> Judgement:
    if claim.kind in (Kind.EPOCH, Kind.DATE, Kind.OTHER):
        is_order = claim.kind != Kind.OTHER
        words = "it orders models" if is_order else "no sum of weights is claimed"
        return Judgement(Answer.NOT_CHECKED, words)
    if not claim.parents:
        return Judgement(Answer.NOT_CHECKED, "no parent is named")
    absent = [parent.name for parent in claim.parents if not _is_at_hand(parent, models)]
    if absent and (claim.kind != Kind.LORA or len(absent) == len(claim.parents)):
        return Judgement(Answer.NOT_CHECKED, f"{', '.join(absent)} not at hand")
    if found.verdict == "not compared":
        return Judgement(Answer.NOT_CHECKED, "the weights were not compared")
    if claim.kind in MADE_ALIKE:
        return _judged_copy(claim, found)
    if claim.kind in SUMS:
        return _judged_sum(claim, found)
    return _judged_descent(claim, found)


def _is_at_hand(parent: Parent, models: Collection[str]) -> bool:
    return parent.weight == 0 or parent.model in models


def _sources(found: Found) -> set[str]:
    """Return the parents that were found, and what is alike."""
    return {*found.weights, *(model for alike in found.alike.values() for model in alike)}


def _judged_copy(claim: Claim, found: Found) -> Judgement:
    parent = claim.parents[0].model
    if found.verdict in (*COPIES, "equal"):
        if parent in _sources(found):
            return Judgement(Answer.AGREES, f"{found.verdict} of {parent}")
        return Judgement(Answer.CONTRADICTED, f"{found.verdict} of {_names(found.weights)}")
    if found.verdict == "undetermined":
        return Judgement(Answer.UNDETERMINED, "rounding hides the weights")
    return Judgement(Answer.CONTRADICTED, f"not {parent}'s own weights")


def _judged_descent(claim: Claim, found: Found) -> Judgement:
    """Judge what was trained, or had a LoRA added: the parent is the nearest, or its part of it."""
    parents = [parent.model for parent in claim.parents if parent.weight != 0 and parent.model]
    if found.verdict in (*COPIES, "equal", "recovered"):
        if set(parents) & _sources(found):
            return Judgement(Answer.AGREES, f"{found.verdict} with {_names(found.weights)}")
        words = f"{found.verdict} from {_names(found.weights)} instead"
        return Judgement(Answer.CONTRADICTED, words)
    if found.nearest in parents:
        return Judgement(Answer.AGREES, f"{found.nearest} is the nearest")
    return Judgement(
        Answer.UNDETERMINED, f"{found.nearest} is nearer" if found.nearest else "nothing is near"
    )


def _judged_sum(claim: Claim, found: Found) -> Judgement:
    if any(parent.weight is None for parent in claim.parents):
        return _judged_parents(claim, found)
    if found.verdict == "none":
        return Judgement(Answer.CONTRADICTED, "no sum of models at hand explains the weights")
    claimed, alien = _by_found_parent(claim, found)
    called = _called(claim, found)
    weights = {model: weight for model, weight in found.weights.items() if weight is not None}
    if not weights or found.verdict in ("equal", "undetermined"):
        why = "the parents are equal here" if found.verdict == "equal" else "weights are not known"
        return Judgement(Answer.UNDETERMINED, why)
    off = [
        f"{called[model]} {weights[model]:.4g}, not {claimed[model]:.4g}"
        for model in weights
        if abs(weights[model] - claimed[model]) > tolerance(found.errors.get(model, 0.0))
    ]
    off += [
        f"{model} is no parent" for model, weight in alien.items() if abs(weight) > LEAST_TOLERANCE
    ]
    if found.verdict == "approximate":
        words = "; ".join(off) or "weights are as claimed"
        return Judgement(Answer.UNDETERMINED, f"{words}, and more was done than a sum")
    if off:
        return Judgement(Answer.CONTRADICTED, "; ".join(off))
    names = _names(called[model] for model in weights)
    return Judgement(Answer.AGREES, f"weights of {names} are as claimed")


def _judged_parents(claim: Claim, found: Found) -> Judgement:
    """Judge a sum of which no weights are told."""
    if found.verdict not in (*COPIES, "recovered"):
        return Judgement(Answer.UNDETERMINED, "weights are neither claimed nor recovered")
    held = _sources(found)
    alien = [parent.model for parent in claim.parents if parent.model not in held]
    if alien:
        return Judgement(Answer.CONTRADICTED, f"{', '.join(alien)} is no parent")
    return Judgement(Answer.AGREES, f"the parents are {_names(found.weights)}")


def tolerance(error: float) -> float:
    """
    Return how far a weight may lie from the one claimed, by its standard error.

    >>> tolerance(0.0), tolerance(0.01)
    (0.005, 0.04)
    """
    return max(ERRORS * error, LEAST_TOLERANCE)


def _by_found_parent(claim: Claim, found: Found) -> tuple[dict[str, float], dict[str, float]]:
    """Return the claimed weights added up by found parent, and those of models that are none."""
    stands_for = {other: model for model in found.weights for other in found.alike.get(model, ())}
    stands_for |= {model: model for model in found.weights}
    claimed: dict[str, float] = dict.fromkeys(found.weights, 0.0)
    alien: dict[str, float] = defaultdict(float)
    for parent in claim.parents:
        if parent.model in stands_for:
            claimed[stands_for[parent.model]] += parent.weight or 0.0
        else:
            alien[parent.model or parent.name] += parent.weight or 0.0
    return claimed, dict(alien)


def _called(claim: Claim, found: Found) -> dict[str, str]:
    """Return what the claim calls each found parent: of those that are alike, the one it names."""
    named = [parent.model for parent in claim.parents]
    return {
        model: next((each for each in (model, *found.alike.get(model, ())) if each in named), model)
        for model in found.weights
    }


def _names(models: Iterable[str]) -> str:
    return " + ".join(models)
