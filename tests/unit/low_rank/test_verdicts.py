"""What ranks of many tensors amount to, in one word and one sentence."""

from __future__ import annotations

import pytest

from atlas.low_rank.ranks import Kind, Rank
from atlas.low_rank.verdicts import Part, Verdict, of_component, of_role

WORDS = {"cross_attention": "cross-attention", "self_attention": "self-attention", "norm": "norms"}


def low(rank: int, gap: float = 9.0, side: int = 320) -> Rank:
    return Rank(Kind.LOW, rank, side, gap)


FULL = Rank(Kind.FULL, 300, 320)
BURIED = Rank(Kind.BURIED, 12, 64)
ROUNDING = Rank(Kind.ROUNDING, 0, 64)
SMALL = Rank(Kind.SMALL, 0, 4)


def part(*ranks: Rank, **given: int) -> Part:
    return Part(list(ranks), **({"tensors": len(ranks)} | given))


@pytest.mark.parametrize(
    ("ranks", "verdict", "rank"),
    [
        ([low(8)] * 5, Verdict.LORA, 8),
        ([low(8)] * 4 + [low(7)], Verdict.LORA, 8),
        ([low(8)] * 3 + [low(7), low(6)], Verdict.LOW_RANK, None),
        ([low(8)], Verdict.LOW_RANK, None),  # one tensor is no agreement
        ([low(8, gap=1.4)] * 5, Verdict.UNDECIDED, None),  # a power law has such gaps
        ([low(2, gap=2.5)] * 5, Verdict.UNDECIDED, None),  # and larger ones at its head
        ([low(2, gap=4)] * 5, Verdict.LORA, 2),
        ([low(32)] * 4 + [Rank(Kind.FULL, 36, 36)] * 3, Verdict.LORA, 32),  # too narrow for 32
        ([low(8)] * 5 + [ROUNDING, SMALL], Verdict.LORA, 8),
        ([low(8)] * 3 + [FULL] * 3, Verdict.UNDECIDED, None),
        ([FULL] * 4, Verdict.FULL, None),
        ([BURIED] * 4, Verdict.UNDECIDED, None),
        ([ROUNDING] * 3, Verdict.UNDECIDED, None),
        ([], Verdict.UNDECIDED, None),
    ],
)
def test_one_rank_and_a_gap_decide(ranks, verdict, rank):
    found = of_role(part(*ranks), "cross-attention")
    assert (found.verdict, found.rank) == (verdict, rank)
    assert found.low == sum(each.kind is Kind.LOW for each in ranks)
    assert found.full == sum(each is FULL for each in ranks)


def test_a_sentence_names_rank_and_place():
    assert of_role(part(low(32), low(32)), "cross-attention").detail == (
        "LoRA of rank 32 baked into cross-attention"
    )
    assert of_role(part(low(16), low(16), loha=4), "cross-attention").detail == (
        "LoHa of dimension 4 (rank 16) baked into cross-attention"
    )
    assert "sinks into rounding" in of_role(part(BURIED, BURIED), "norms").detail
    assert of_role(part(FULL, tensors=60), "norms").detail.endswith("told by 1 of 60 tensors")


def test_a_component_has_the_rank_of_all_its_roles():
    attention = {"cross_attention": part(low(8), low(8)), "self_attention": part(low(8), low(8))}
    found = of_component(attention, WORDS)
    assert (found.verdict, found.rank, found.tensors, found.low) == (Verdict.LORA, 8, 4, 4)
    assert found.detail == "LoRA of rank 8 baked into cross-attention and self-attention"


def test_roles_of_other_ranks_are_named_each():
    found = of_component(
        {"cross_attention": part(low(8), low(8)), "self_attention": part(low(4), low(4))}, WORDS
    )
    assert (found.verdict, found.rank, found.largest) == (Verdict.LORA, None, 8)
    assert found.detail == (
        "LoRA of rank 8 baked into cross-attention; LoRA of rank 4 baked into self-attention"
    )


def test_a_tune_beside_an_adapter_is_no_adapter():
    found = of_component(
        {"cross_attention": part(low(8), low(8)), "self_attention": part(FULL, FULL)}, WORDS
    )
    assert (found.verdict, found.rank) == (Verdict.UNDECIDED, None)
    assert found.detail == "LoRA of rank 8 baked into cross-attention; full in self-attention"


def test_full_tunes_are_full_and_what_norms_do_is_told():
    parts = {"self_attention": part(FULL, FULL, vectors=3), "norm": part(vectors=2, tensors=0)}
    found = of_component(parts, WORDS)
    assert (found.verdict, found.full) == (Verdict.FULL, 2)
    assert "5 biases or norms differ too" in found.detail


def test_ranks_that_agree_across_roles_but_not_within_are_no_lora():
    parts = {role: part(low(8)) for role in WORDS}
    assert of_component(parts, WORDS).verdict is not Verdict.LORA
