"""LoHa told from LoRA of the same rank by what its rows satisfy."""

from __future__ import annotations

import numpy as np
import pytest

import adapters
from atlas.low_rank.hadamard import dimension_of
from atlas.low_rank.spectra import leading


def spanned(change: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    left, _, right = leading(change, rank)
    return left, right.T


@pytest.mark.parametrize("dimension", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["f32", "f16"])
def test_a_loha_is_told_from_a_lora_of_its_rank(dimension, dtype):
    generator = np.random.default_rng(dimension)
    base = adapters.weights(generator, 160, 240)
    for change, expected in (
        (adapters.loha(generator, 160, 240, dimension), dimension),
        (adapters.lora(generator, 160, 240, dimension**2), 0),
    ):
        one, other = adapters.changed(base, change, 0.05, (dtype, dtype))
        assert dimension_of(*spanned(other - one, dimension**2)) == expected


def test_where_no_side_is_long_enough_nothing_is_said():
    generator = np.random.default_rng(0)
    assert dimension_of(*spanned(adapters.loha(generator, 100, 110, 4), 16)) == 0


@pytest.mark.parametrize("rank", [1, 5, 8, 32, 81])
def test_other_ranks_are_no_lohas(rank):
    generator = np.random.default_rng(0)
    assert dimension_of(*spanned(adapters.lora(generator, 120, 130, rank), rank)) == 0
