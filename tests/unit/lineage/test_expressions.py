"""Weights as plain numbers, and sums that read as one would write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.lineage.expressions import LONGEST, MINUS, namer, plain, weighted_sum, with_error


@given(st.floats(-3, 3), st.floats(0, 0.5))
def test_a_plain_weight_lies_within_its_error_or_what_digits_leave(weight, error):
    told = float(plain(weight, error).replace(MINUS, "-"))
    assert abs(told - weight) <= max(2 * error, 0.5e-4, 0.005 if error > 0.002 else 0) + 1e-12


@given(st.integers(-300, 300), st.floats(1e-9, 1e-4), st.floats(-1.9, 1.9))
def test_a_number_of_two_decimals_comes_out_within_two_errors_of_noise(hundredths, error, noise):
    weight = hundredths / 100
    assert float(plain(weight + noise * error, error).replace(MINUS, "-")) == weight


@pytest.mark.parametrize(
    ("weight", "error", "told"),
    [
        (0.699998, 1e-5, "0.7"), (1.0000001, 1e-6, "1"), (-0.00001, 1e-6, "0"),
        (0.04, 1e-6, "0.04"), (2 / 3, 1e-7, "0.6667"), (0.48213, 0.031, "0.48 ± 0.03"),
        (0.48213, 0.004, "0.48 ± 0.004"), (-0.8, 1e-6, "−0.8"), (0.5, None, "0.5"),
    ],
)  # fmt: skip
def test_an_error_is_told_where_it_matters(weight, error, told):
    assert with_error(weight, error) == told


def test_an_add_difference_is_written_in_brackets_whatever_the_order_of_its_parents():
    terms = {"a": "1", "b": "0.8", "c": "−0.8"}
    for order in (["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]):
        weights = [terms[name] for name in order]
        assert weighted_sum(order, weights, str) == "a + 0.8 × (b − c)"
    assert weighted_sum(["a", "b", "c"], ["1", "1", "−1"], str) == "a + (b − c)"
    assert (
        weighted_sum(["a", "b", "c"], ["1.1", "0.8", "−0.9"], str) == "1.1 × a + 0.8 × b − 0.9 × c"
    )
    assert weighted_sum(["a"], ["−1"], str) == "−a"


def test_names_that_could_be_read_as_part_of_a_sum_are_quoted_and_equal_ones_told_apart():
    labels = {"a": "0.4.2 + tuning", "b": "plain-1.5 70/30", "c": "twin", "d": "twin", "e": "c"}
    name = namer(labels | {"long": "x" * 200, "twin": "e"})
    assert name("a") == "“0.4.2 + tuning”"
    assert name("b") == "plain-1.5 70/30"
    assert name("c") != name("d")
    assert "[c]" in name("c")
    assert len(name("long")) < LONGEST + 20
    assert name("not-here") == "not-here"
