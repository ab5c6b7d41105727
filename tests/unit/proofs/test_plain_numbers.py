"""Weights are snapped to what a person would have typed, within their errors."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.proofs.plain_numbers import LEAST_ERROR, MOST, STANDARD_ERRORS, plain_weights


@pytest.mark.parametrize(
    ("fitted", "error", "plain"),
    [
        ([0.70003, 0.29997], 1e-5, (0.7, 0.3)),
        ([0.6502, 0.3498], 1e-4, (0.65, 0.35)),
        ([0.87, 0.13], 1e-6, (0.87, 0.13)),
        ([0.33334, 0.33333, 0.33333], 1e-5, (1 / 3, 1 / 3, 1 / 3)),
        ([0.1429, 0.8571], 1e-4, (1 / 7, 6 / 7)),
        ([1.00001, 0.80001, -0.80002], 1e-5, (1, 0.8, -0.8)),
        ([0.70001, 0.49999], 1e-5, (0.7, 0.5)),
        ([0.1233, 0.8767], 1e-6, (0.1233, 0.8767)),
    ],
)
def test_the_plainest_comes_first(fitted, error, plain):
    assert plain_weights(fitted, [error] * len(fitted))[0] == plain


def test_thirds_sum_to_one_before_decimals_that_do_not():
    found = plain_weights([0.3333, 0.3333, 0.3334], [1e-4] * 3)
    assert found[0] == (1 / 3, 1 / 3, 1 / 3)
    sums = [math.isclose(sum(each), 1, abs_tol=1e-12) for each in found[:-1]]
    assert sums == sorted(sums, reverse=True)


def test_a_weight_without_a_plain_number_near_is_kept_as_it_is():
    fitted = [0.123456789, 0.876543211]
    assert tuple(fitted) == plain_weights(fitted, [None, None])[-1]


def test_a_blurred_weight_has_many_candidates_and_the_true_one_is_among_them():
    found = plain_weights([0.31, 0.69], [0.02, 0.02])
    assert (0.3, 0.7) in found
    assert (0.35, 0.65) in found


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=5),
    st.floats(0, 0.05),
)
def test_candidates_lie_within_reach(fitted, error):
    found = plain_weights(fitted, [error] * len(fitted))
    reach = min(1.0, STANDARD_ERRORS * error + LEAST_ERROR)
    assert 1 <= len(found) <= MOST + 1
    assert len(set(found)) == len(found)
    for each in found:
        for plain, weight in zip(each, fitted, strict=True):
            assert abs(plain - weight) <= reach + 1e-9
