"""How much rounding leaves of an exact sum: against sums that were rounded."""

import numpy as np
import pytest

from atlas.recipes.bounds import DEVIATIONS, largest_ratio
from made_up_merges import rounded, rounding_floor, tunes

SIZE = 200_000


def ratio(weights: list[float], dtype: str = "f16") -> float:
    """Return the squared residual of a rounded sum over the squared floor."""
    _, parents = tunes(len(weights), SIZE, seed=len(weights), dtype=dtype)
    exact = np.array(weights) @ parents
    child = rounded(exact, dtype)
    return float(((child - exact) ** 2).sum() / rounding_floor(child, dtype) ** 2)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize(
    "weights", [[0.7, 0.3], [0.5, 0.5], [0.25, 0.75], [0.5, 0.25, 0.25], [0.37, 0.41, 0.22]]
)
def test_exact_sums_are_within(weights: list[float], dtype: str) -> None:
    allowed = largest_ratio(np.array(weights), np.zeros(len(weights)), SIZE)
    assert ratio(weights, dtype) <= allowed


def test_halves_leave_more_and_so_they_may() -> None:
    assert ratio([0.5, 0.5]) > largest_ratio(np.array([0.7031, 0.2969]), np.zeros(2), SIZE)
    assert ratio([0.5, 0.5]) == pytest.approx(1.5, abs=0.06)


def test_weights_that_are_hardly_known_may_be_halves() -> None:
    off = np.array([0.513, 0.487])
    assert largest_ratio(off, np.zeros(2), np.inf) < 1.1
    assert largest_ratio(off, np.full(2, 0.01), np.inf) > 1.5


def test_small_parts_have_more_room() -> None:
    weights, errors = np.array([0.7, 0.3]), np.zeros(2)
    few, many = (largest_ratio(weights, errors, size) for size in (100, 10_000))
    assert few - many == pytest.approx(DEVIATIONS * (0.1 - 0.01))


def test_products_rounded_to_half_precision_are_within() -> None:
    _, (first, second) = tunes(2, SIZE)
    exact = 0.7 * first + 0.3 * second
    child = rounded(rounded(0.7 * first, "f16") + rounded(0.3 * second, "f16"), "f16")
    found = ((child - exact) ** 2).sum() / rounding_floor(child, "f16") ** 2
    assert 1.3 < found <= largest_ratio(np.array([0.7, 0.3]), np.full(2, 1e-5), SIZE)


def test_what_nobody_types_has_no_such_room() -> None:
    plain, odd = np.array([0.7, 0.3]), np.array([0.7043, 0.2957])
    assert largest_ratio(plain, np.full(2, 1e-5), np.inf) > 1.5
    assert largest_ratio(odd, np.full(2, 1e-5), np.inf) < 1.1
    assert largest_ratio(plain, np.full(2, 1e-2), np.inf) < 1.1
