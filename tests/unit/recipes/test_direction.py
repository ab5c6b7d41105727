"""Which model of an exact relation may be the child."""

import numpy as np
import pytest

from atlas.recipes.direction import is_shaped, is_turned, may_be_child
from made_up_merges import squared_distances

RANDOM = np.random.default_rng(4)
BASE = RANDOM.normal(size=4000)
FIRST, SECOND = BASE + 0.1 * RANDOM.normal(size=(2, 4000))


def asked(target: np.ndarray, parents: list[np.ndarray], weights: list[float]) -> bool:
    squares = squared_distances(np.array([target, *parents]))
    np.testing.assert_allclose(target, np.array(weights) @ np.array(parents), atol=1e-9)
    own = np.array(weights)
    may = may_be_child(own, np.full(len(own), 1e-4))
    return may and not is_turned(own, squares[1:, 1:], squares[0, 1:])


def test_between_its_parents_it_may() -> None:
    assert asked(0.6 * FIRST + 0.4 * SECOND, [FIRST, SECOND], [0.6, 0.4])


def test_beyond_its_parents_it_may_not() -> None:
    child = 0.6 * FIRST + 0.4 * SECOND
    assert not asked(FIRST, [child, SECOND], [1 / 0.6, -0.4 / 0.6])


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_of_an_added_difference_one_may(share: float) -> None:
    child = FIRST + share * (SECOND - BASE)
    assert asked(child, [FIRST, SECOND, BASE], [1, share, -share])
    assert not asked(FIRST, [child, BASE, SECOND], [1, share, -share])
    assert not asked(SECOND, [BASE, child, FIRST], [1, 1 / share, -1 / share])
    assert not asked(BASE, [SECOND, FIRST, child], [1, 1 / share, -1 / share])


def test_of_a_whole_difference_both_may() -> None:
    child = FIRST + SECOND - BASE
    assert asked(child, [FIRST, SECOND, BASE], [1, 1, -1])
    assert asked(FIRST, [child, BASE, SECOND], [1, 1, -1])


@pytest.mark.parametrize("share", [0.2, 0.3, 0.5, 0.6, 0.8, 0.95])
def test_of_a_difference_of_siblings_the_child_may(share: float) -> None:
    third = BASE + 0.1 * RANDOM.normal(size=4000)
    child = FIRST + share * (SECOND - third)
    assert asked(child, [FIRST, SECOND, third], [1, share, -share])
    assert not asked(SECOND, [third, child, FIRST], [1, 1 / share, -1 / share])


def test_halfway_nothing_is_decided() -> None:
    child = FIRST + 0.5 * (SECOND - BASE)
    assert asked(child, [FIRST, SECOND, BASE], [1, 0.5, -0.5])
    assert asked(FIRST, [child, BASE, SECOND], [1, 0.5, -0.5])


@pytest.mark.parametrize(
    "weights",
    [
        [1, 0.8, -0.8],
        [0.7, 0.3, 0.5, -0.5],
        [1, 0.66, -0.66, 0.3, -0.3],
        [1, 0.8, 0.3, -1.1],
        [1, 0.9, -0.5, -0.4],
    ],
)
def test_tools_add_differences(weights: list[float]) -> None:
    assert is_shaped(np.array(weights), np.full(len(weights), 1e-3))


@pytest.mark.parametrize(
    "weights", [[0.262, 0.199, 0.642, -0.102], [0.9, 0.29, -0.08, -0.11], [0.8, 0.4, -0.2]]
)
def test_what_is_not_balanced_no_tool_adds(weights: list[float]) -> None:
    assert not is_shaped(np.array(weights), np.full(len(weights), 1e-3))


def test_what_may_be_nothing_is_no_difference() -> None:
    assert not is_shaped(np.array([1, 0.1, -0.1]), np.full(3, 0.03))
