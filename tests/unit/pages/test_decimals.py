"""Numbers as digits: what a page shows is what the table has, rounded once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.pages.decimals import IDENTICAL, NOT_COMPARED, ZERO, decimals, packed
from atlas.pages.packing import Packing


def written(value: float, count: int) -> tuple[int, int]:
    """Return digits and power the slow way: by Python's own formatting."""
    digits, power = f"{value:.{count - 1}e}".split("e")
    return int(digits.replace(".", "")), int(power)


@pytest.mark.parametrize("count", [3, 4])
@given(value=st.floats(min_value=1e-100, max_value=1e100))
def test_digits_are_those_of_the_decimal_number(count, value):
    told = decimals(np.array([value]), count)
    digits, power = written(value, count)
    error = abs(int(told.digits[0]) - digits) + abs(int(told.powers[0]) - power)
    # a number within 1e-15 of the middle between two may be rounded to either
    lies_between = abs((value / 10.0**power * 10 ** (count - 1)) % 1 - 0.5) < 1e-9
    assert error == 0 or lies_between


@given(power=st.integers(-120, 120), count=st.sampled_from([3, 4]))
def test_powers_of_ten_and_their_neighbours_have_the_right_power(power, count):
    exact = float(f"1e{power}")
    values = np.array([np.nextafter(exact, 0), exact, np.nextafter(exact, np.inf)])
    told = decimals(values, count)
    assert told.digits.tolist() == [10 ** (count - 1)] * 3
    assert told.powers.tolist() == [power] * 3


def test_what_is_no_number_has_its_code():
    told = decimals(np.array([np.nan, 0.0, 5e-320, 1e300]))
    assert told.digits[:2].tolist() == [NOT_COMPARED, ZERO]
    assert told.powers[2:].tolist() == [-120, 120]
    assert max(NOT_COMPARED, ZERO, IDENTICAL) < 100


def test_the_page_is_told_of_low_and_high_bytes():
    packing = Packing()
    told = packed(decimals(np.array([1.5, 2.5])), packing)
    assert told["count"] == 4
    low, high = (packing._arrays[told[name]].astype(int) for name in ("low", "high"))
    assert (low + 256 * high).tolist() == [1500, 2500]
