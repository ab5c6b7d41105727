"""Merges as others' programs make them: weighted sums are found, and nothing else is called one."""

from functools import partial

import numpy as np
import pytest
import torch

import others_merges as others
from atlas.recipes.fit import WIDE_ROUNDINGS, fit_blocks
from atlas.recipes.verdicts import Form, Verdict

BLOCKS = 4
DTYPES = [torch.float32, torch.float16, torch.bfloat16]
HALF = DTYPES[1:]
LINEAR = {
    others.weighted_sum: {1: 0.7, 2: 0.3},
    others.average: {1: 1 / 3, 2: 1 / 3, 3: 1 / 3},
    others.add_difference: {1: -0.8, 2: 0.8, 3: 1.0},
}
NOT_LINEAR = [
    others.geometric_mean, others.ties, others.dare, others.breadcrumbs, others.train_difference,
    others.tensor_sum, others.rotated, others.truncated, others.crossover,
]  # fmt: skip


def fitted(merge, dtype, *, size=0.01, precision=2.0**-22):
    """Merge all blocks, round, measure and fit."""
    squares = np.zeros((BLOCKS, 4, 4))
    floors, elements = np.zeros(BLOCKS), np.zeros(BLOCKS, int)
    for block, tensors in enumerate(others.parents(BLOCKS, size=size)):
        for a, b, c in tensors:
            target = others.stored(merge(a, b, c), dtype)
            rows = np.stack([target, *(others.stored(each, torch.float32) for each in (a, b, c))])
            squares[block] += np.square(rows[:, None] - rows[None]).sum(axis=2)
            floors[block] += others.floor_of(target, dtype)
            elements[block] += target.size
    return fit_blocks(
        squares,
        elements=elements,
        floors=np.sqrt(floors),
        precision=precision,
        roundings=WIDE_ROUNDINGS if dtype is torch.float32 else 1.0,
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("merge", LINEAR, ids=lambda merge: merge.__name__)
def test_weighted_sums_are_found(merge, dtype):
    truth = LINEAR[merge]
    for fit in fitted(merge, dtype):
        assert fit.verdict is Verdict.RECOVERED
        assert set(fit.parents) == set(truth)
        for parent, weight, error in zip(fit.parents, fit.weights, fit.errors, strict=True):
            assert weight == pytest.approx(truth[parent], abs=5 * error + 1e-4)
        assert fit.residual == pytest.approx(
            fit.floor, rel=0.35 if dtype is torch.float32 else 0.05
        )


@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_an_add_difference_is_signed_and_an_average_convex(dtype):
    assert {fit.form for fit in fitted(others.add_difference, dtype)} == {Form.SIGNED}
    assert {fit.form for fit in fitted(others.average, dtype)} == {Form.CONVEX}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("merge", NOT_LINEAR, ids=lambda merge: merge.__name__)
def test_nothing_else_is_called_a_weighted_sum(merge, dtype):
    fits = fitted(merge, dtype, size=0.05)
    assert {fit.verdict for fit in fits} <= {Verdict.APPROXIMATE, Verdict.NONE}
    assert all(fit.residual > 1.5 * fit.floor for fit in fits)


@pytest.mark.parametrize(("dtype", "size"), [(torch.float16, 0.002), (torch.bfloat16, 0.01)], ids=str)
def test_near_parents_make_a_turn_a_sum(dtype, size):
    """There, what a slerp differs from a sum by is below what rounding leaves."""
    for fit in fitted(others.slerp, dtype, size=size):
        assert fit.verdict is Verdict.RECOVERED
        assert dict(zip(fit.parents, fit.weights, strict=True))[2] == pytest.approx(0.3, abs=0.02)


def test_distant_parents_do_not():
    assert Verdict.RECOVERED not in {
        fit.verdict for fit in fitted(others.slerp, torch.float16, size=0.3)
    }


@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_a_cosine_sum_is_one_where_all_columns_are_alike(dtype):
    """Columns of near parents have a similarity of 1 all, so their weights are 0.5 all."""
    for fit in fitted(partial(others.cosine_sum, alpha=0.5), dtype, size=0.005):
        assert fit.verdict is Verdict.RECOVERED
        assert fit.weights == pytest.approx((0.5, 0.5), abs=0.01)


def test_a_mean_of_merges_by_block_has_the_weights_of_each_block():
    """A ratio of its own in each block, as mergers by block have it."""
    ratios = iter(np.repeat(np.linspace(0.1, 0.85, BLOCKS), 3))

    def merge(a, b, c):
        return torch.lerp(a, b, float(next(ratios)))

    found = [
        dict(zip(fit.parents, fit.weights, strict=True))[2] for fit in fitted(merge, torch.float16)
    ]
    assert found == pytest.approx(np.linspace(0.1, 0.85, BLOCKS), abs=2e-3)
