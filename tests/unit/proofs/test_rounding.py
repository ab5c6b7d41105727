"""Fused multiply-adds are rounded once, as exact fractions say."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.proofs.rounding import ROUNDINGS, cast, fused, stored

SINGLES = st.floats(
    width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**50), max_value=2.0**50
)


def nearest_single(exact: Fraction) -> np.float32:
    """Round a fraction to the nearest float32, ties to even, by trying the neighbours."""
    near = np.float32(float(exact))
    around = {near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))}
    return min(
        around,
        key=lambda each: (abs(Fraction(float(each)) - exact), int(each.view(np.uint32)) & 1),
    )


@settings(max_examples=200)
@given(SINGLES, SINGLES, SINGLES)
def test_a_fused_multiply_add_is_rounded_once(value, factor, added):
    exact = Fraction(value) * Fraction(factor) + Fraction(added)
    made = fused(np.array([value], np.float32), np.float32(factor), np.array([added], np.float32))
    assert made[0] == nearest_single(exact)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_that_is_halfway_once_rounded_to_float64_is_decided_by_what_was_lost(sign):
    """1 + 2⁻²⁴ is halfway between two float32; what makes it more is below float64's last bit."""
    value, factor = np.float32(2**-24), np.float32(1 + 2**-23)
    product = float(value) * float(factor)
    little = np.float32(1 + 2**-23)
    made = fused(np.array([value]), factor, np.array([np.float32(1)]))
    assert made[0] == little  # the product is more than half a unit
    tiny = np.array([sign * 2.0**-60], np.float32)
    twice = (tiny.astype(np.float64) + (1 + 2**-24)).astype(np.float32)
    once = fused(tiny, np.float32(1), np.array([1 + 2**-23], np.float32))
    assert product > 2**-24
    assert once[0] == little
    assert twice[0] == np.float32(1)  # which is wrong for +: the even neighbour


def test_what_double_rounding_gets_wrong_is_right():
    generator = np.random.default_rng(0)
    added = generator.standard_normal(2000).astype(np.float32)
    unit = np.spacing(added).astype(np.float64)
    value = (unit / 2).astype(np.float32)
    factor = np.float32(1 + 2**-23)
    made = fused(value, factor, added)
    expected = [
        nearest_single(Fraction(float(v)) * Fraction(float(factor)) + Fraction(float(a)))
        for v, a in zip(value, added, strict=True)
    ]
    assert made.tolist() == [float(each) for each in expected]


@pytest.mark.parametrize(("dtype", "kind"), [("f16", np.float16), ("bf16", ml_dtypes.bfloat16)])
def test_roundings_are_those_of_the_dtypes(dtype, kind):
    values = np.random.default_rng(1).standard_normal(5000).astype(np.float32) * 10
    expected = values.astype(kind).astype(np.float32)
    assert (ROUNDINGS[dtype](values) == expected).all()
    assert (cast(values, dtype) == expected).all()
    assert (stored(values, dtype) == values.astype(kind).view(np.uint16)).all()


def test_no_cast_changes_nothing():
    values = np.arange(3.0)
    assert cast(values, "") is values
