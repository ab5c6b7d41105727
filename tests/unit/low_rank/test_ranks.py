"""Ranks of differences: exact for adapters, and not low for full tunes."""

from __future__ import annotations

import numpy as np
import pytest

import adapters
from atlas.low_rank import ranks
from atlas.low_rank.ranks import Kind, rank_of

STORED = [
    ("f32", "f32", True),
    ("f16", "f16", True),
    ("bf16", "bf16", True),
    ("f32", "f16", True),  # saved in half precision
    ("f16", "f32", True),  # made from a half-precision base
    ("f16", "f16", False),  # both rounded: made from the base as it was before
    ("bf16", "bf16", False),
    ("f16", "f32", False),
]


@pytest.mark.parametrize(("before", "after", "once"), STORED)
@pytest.mark.parametrize(
    ("rows", "columns", "rank"), [(320, 320, 8), (320, 1024, 32), (640, 320, 32)]
)
def test_the_rank_of_an_adapter_comes_out_exactly(before, after, once, rows, columns, rank):
    generator = np.random.default_rng(rank + rows)
    base = adapters.weights(generator, rows, columns)
    change = adapters.lora(generator, rows, columns, rank)
    one, other = adapters.changed(base, change, 0.03, (before, after), once=once)
    for expected in (0, rank):
        found = rank_of(one, other, (before, after), expected)
        assert (found.kind, found.rank, found.side) == (Kind.LOW, rank, min(rows, columns))
        assert found.gap > 2


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("rank", [8, 32])
def test_the_rank_comes_out_exactly_in_wide_matrices(dtype, rank):
    generator = np.random.default_rng(rank)
    base = adapters.weights(generator, 2560, 640)
    change = adapters.lora(generator, 2560, 640, rank)
    one, other = adapters.changed(base, change, 0.03, (dtype, dtype))
    found = rank_of(one, other, (dtype, dtype), rank)
    assert (found.kind, found.rank) == (Kind.LOW, rank)


def test_both_directions_are_one_difference():
    generator = np.random.default_rng(0)
    base = adapters.weights(generator, 64, 96)
    one, other = adapters.changed(base, adapters.lora(generator, 64, 96, 4), 0.03, ("f32", "f16"))
    there, back = rank_of(one, other, ("f32", "f16")), rank_of(other, one, ("f16", "f32"))
    assert there.kind is back.kind is Kind.LOW
    assert there.rank == back.rank == 4


@pytest.mark.parametrize("half", ["f16", "bf16"])
def test_a_change_that_was_computed_in_half_precision_is_of_its_rank(half):
    generator = np.random.default_rng(0)
    base = adapters.weights(generator, 128, 160)
    change = adapters.rounded(
        0.03 * np.linalg.norm(base) * adapters.lora(generator, 128, 160, 8), half
    )
    found = rank_of(base, base + change, ("f32", "f32"))
    assert (found.kind, found.rank) == (Kind.LOW, 8)


@pytest.mark.parametrize("dtype", adapters.KINDS)
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [0.03, 0.003, 0.0003])
def test_a_full_tune_is_of_no_low_rank(dtype, power, size):
    generator = np.random.default_rng(1)
    for rows, columns in ((64, 64), (64, 160), (160, 160)):
        base = adapters.weights(generator, rows, columns)
        change = adapters.tune(generator, rows, columns, power)
        found = rank_of(*adapters.changed(base, change, size, (dtype, dtype)), (dtype, dtype))
        assert found.kind is not Kind.LOW
        if dtype == "f32":
            assert found.kind is Kind.FULL


def test_rounding_alone_has_no_rank():
    base = adapters.weights(np.random.default_rng(0), 64, 96)
    for dtypes in (("f32", "f16"), ("f32", "bf16"), ("f16", "bf16")):
        one, other = (adapters.rounded(base, dtype) for dtype in dtypes)
        assert rank_of(one, other, dtypes) == ranks.Rank(Kind.ROUNDING, 0, 64)


def test_small_matrices_tell_nothing():
    one, other = np.zeros((4, 36), np.float32), np.ones((4, 36), np.float32)
    assert rank_of(one, other, ("f32", "f32")).kind is Kind.SMALL


def test_the_structure_of_a_loha_is_found_in_the_weights():
    generator = np.random.default_rng(0)
    base = adapters.weights(generator, 160, 200)
    one, other = adapters.changed(base, adapters.loha(generator, 160, 200, 3), 0.05, ("f16", "f16"))
    found = rank_of(one, other, ("f16", "f16"))
    assert (found.kind, found.rank) == (Kind.LOW, 9)
    assert ranks.loha_of(one, other, 9) == 3
