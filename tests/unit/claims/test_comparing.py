"""A claim agrees with the weights, is contradicted, or can't be told."""

from __future__ import annotations

import pytest

from atlas.claims.claim import WHOLE, Claim, Kind, Parent
from atlas.claims.comparing import Answer, Found, claims_of_part, compare, told, tolerance

MODELS = ("a", "b", "c", "m")


def summed(kind: Kind = Kind.WEIGHTED_SUM, **weights: float | None) -> Claim:
    return Claim(
        "x", kind, parents=tuple(Parent(name, each, model=name) for name, each in weights.items())
    )


def found(verdict: str = "recovered", **weights: float | None) -> Found:
    return Found(verdict, weights, dict.fromkeys(weights, 0.001), nearest="a")


def answer(claim: Claim, of: Found) -> Answer:
    return compare(claim, of, MODELS).answer


def test_weights_within_their_errors_agree() -> None:
    assert answer(summed(a=0.7, b=0.3), found(a=0.703, b=0.297)) == Answer.AGREES
    assert answer(summed(a=0.7, b=0.3), found(a=0.6, b=0.4)) == Answer.CONTRADICTED
    wide = Found("recovered", {"a": 0.6, "b": 0.4}, {"a": 0.05, "b": 0.05})
    assert answer(summed(a=0.7, b=0.3), wide) == Answer.AGREES


def test_words_name_what_is_off() -> None:
    assert compare(summed(a=0.7, b=0.3), found(a=0.6, c=0.4), MODELS).words == (
        "a 0.6, not 0.7; c 0.4, not 0; b is no parent"
    )


def test_models_that_are_alike_count_together() -> None:
    alike = Found("copy", {"a": 1.0}, alike={"a": ["b"]})
    assert answer(summed(a=0.7, b=0.3), alike) == Answer.AGREES
    assert answer(summed(a=0.7, c=0.3), alike) == Answer.CONTRADICTED


def test_parents_that_are_not_at_hand_are_not_checked() -> None:
    claim = Claim("x", Kind.WEIGHTED_SUM, parents=(Parent("a", 0.5, model="a"), Parent("z", 0.5)))
    assert compare(claim, found(a=1.0), MODELS).answer == Answer.NOT_CHECKED
    assert answer(summed(a=0.5, q=0.5), found(a=1.0)) == Answer.NOT_CHECKED
    # what weighs nothing need not be there
    assert answer(summed(a=1.0, q=0.0), found("copy", a=1.0)) == Answer.AGREES


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("equal", Answer.UNDETERMINED),
        ("undetermined", Answer.UNDETERMINED),
        ("approximate", Answer.UNDETERMINED),
        ("none", Answer.CONTRADICTED),
        ("not compared", Answer.NOT_CHECKED),
    ],
)
def test_verdicts_leave_room(verdict: str, expected: Answer) -> None:
    weights = {"a": None, "b": None} if verdict in ("equal", "undetermined") else {}
    assert answer(summed(a=0.7, b=0.3), found(verdict, **weights)) == expected


def test_without_weights_the_parents_are_compared() -> None:
    assert answer(summed(a=None, b=None), found(a=0.7, b=0.3)) == Answer.AGREES
    assert answer(summed(a=None, c=None), found(a=0.7, b=0.3)) == Answer.CONTRADICTED
    assert answer(summed(a=None, b=None), found("none")) == Answer.UNDETERMINED


@pytest.mark.parametrize("kind", [Kind.CAST, Kind.COPY, Kind.PRUNE, Kind.RENAME, Kind.COMPONENT_OF])
def test_copies(kind: Kind) -> None:
    assert answer(summed(kind, a=1.0), found("cast", a=1.0)) == Answer.AGREES
    assert answer(summed(kind, b=1.0), found("copy", a=1.0)) == Answer.CONTRADICTED
    assert answer(summed(kind, a=1.0), found("recovered", a=0.5, b=0.5)) == Answer.CONTRADICTED
    assert answer(summed(kind, a=1.0), found("undetermined")) == Answer.UNDETERMINED


@pytest.mark.parametrize("kind", [Kind.FINE_TUNE, Kind.LORA])
def test_descent(kind: Kind) -> None:
    assert answer(summed(kind, a=None), found("none")) == Answer.AGREES
    assert answer(summed(kind, b=None), found("none")) == Answer.UNDETERMINED
    assert answer(summed(kind, a=None), found("copy", a=1.0)) == Answer.AGREES
    assert answer(summed(kind, c=None), found(a=0.5, b=0.5)) == Answer.CONTRADICTED


def test_a_lora_need_not_be_at_hand() -> None:
    lora = Claim("x", Kind.LORA, parents=(Parent("a", 1.0, model="a"), Parent("shine", 0.5)))
    assert answer(lora, found("none")) == Answer.AGREES
    alone = Claim("x", Kind.LORA, parents=(Parent("shine", 0.5),))
    assert answer(alone, found("none")) == Answer.NOT_CHECKED


def test_what_is_no_sum_is_not_checked() -> None:
    assert answer(summed(Kind.OTHER, a=None), found(a=1.0)) == Answer.NOT_CHECKED
    assert answer(Claim("x", Kind.EPOCH, order=3.0), found(a=1.0)) == Answer.NOT_CHECKED
    assert answer(Claim("x", Kind.WEIGHTED_SUM), found(a=1.0)) == Answer.NOT_CHECKED


def test_inherited_claims_are_said_to_be() -> None:
    claim = Claim("x", Kind.COPY, parents=(Parent("a", 1.0, model="a"),), inherited=True)
    judgement = compare(claim, found("none"), MODELS)
    assert judgement.answer == Answer.CONTRADICTED
    assert "a parent's" in judgement.words


def test_the_nearest_claim_of_each_source_is_of_a_part() -> None:
    whole = Claim("x", Kind.WEIGHTED_SUM)
    vae = Claim("x", Kind.COMPONENT_OF, "vae")
    block = Claim("x", Kind.WEIGHTED_SUM, "unet", "IN00")
    other = Claim("y", Kind.FINE_TUNE)
    said = [whole, vae, block, other]
    assert claims_of_part(said, "vae") == [vae, other]
    assert claims_of_part(said, "unet", "IN00") == [block, other]
    assert claims_of_part(said, "unet", WHOLE) == [whole, other]
    assert claims_of_part([block], "unet") == []


def test_all_judgements_make_one_text() -> None:
    claim = summed(a=0.7, b=0.3)
    judged = (claim, compare(claim, found(a=0.7, b=0.3), MODELS))
    assert told([judged, judged]) == "; ".join(["x agrees: weights of a + b are as claimed"] * 2)
    assert told([]) == ""
    assert tolerance(0.0) == 0.005
