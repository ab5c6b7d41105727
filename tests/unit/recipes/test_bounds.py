"""How much rounding leaves of an exact sum: against sums that were rounded."""

import numpy as np
import pytest

from atlas.recipes.bounds import DEVIATIONS, Left, half_arithmetic, largest_ratio, left
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


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.35, 0.4, 0.45])
def test_products_rounded_to_half_precision_are_told_from_sums(share: float, dtype: str) -> None:
    _, (first, second) = tunes(2, SIZE, dtype=dtype)
    weights, errors = np.array([1 - share, share]), np.full(2, 1e-5)
    exact = weights[0] * first + share * second
    child = rounded(rounded(weights[0] * first, dtype) + rounded(share * second, dtype), dtype)
    found = ((child - exact) ** 2).sum() / rounding_floor(child, dtype) ** 2
    least, most = half_arithmetic(weights, errors) or (0, 0)
    assert least < found < most
    assert left(found, weights, errors, SIZE, 1) is Left.HALF_ARITHMETIC
    assert left(found, weights, errors, SIZE, 4) is Left.MORE


def test_between_and_beyond_nothing_is_a_sum() -> None:
    weights, errors = np.array([0.7, 0.3]), np.full(2, 1e-5)
    asked = {ratio: left(ratio, weights, errors, SIZE, 1) for ratio in (1, 1.3, 1.8, 2.2)}
    assert list(asked.values()) == [Left.ROUNDING, Left.MORE, Left.HALF_ARITHMETIC, Left.MORE]


def test_what_nobody_types_and_single_parents_have_no_such_room() -> None:
    exact = np.full(2, 1e-5)
    assert half_arithmetic(np.array([0.7043, 0.2957]), exact) is None
    assert half_arithmetic(np.array([0.7, 0.3]), np.full(2, 1e-2)) is None
    assert half_arithmetic(np.ones(1), exact[:1]) is None
    assert left(1.3, np.ones(1), exact[:1], SIZE, 1) is Left.MORE
