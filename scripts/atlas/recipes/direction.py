"""What signs and sizes of weights tell: whether tools make such sums, and which is the child."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

ROOM = 0.005
"""By how much a weight may be off, beyond three of its errors."""
CERTAIN = 6.0
"""Errors that a negative weight must be away from 0."""
UPRIGHT = 0.01
"""Changes with a smaller cosine are at right angles."""
CLEARLY = 0.01
"""By how much more the other cosine must be off."""
HALFWAY = 0.05
"""Around 1/2: there a difference of siblings that moved as far as each other looks turned."""


def may_be_child(weights: NDArray[np.float64], errors: NDArray[np.float64]) -> bool:
    """
    Tell whether the target of a sum may be what was made, by its weights.

    The relation t = Σ w c holds for any of its models as target. It is written here with positive
    terms on both sides, p + … = t + n + …:

    - With one positive weight, that parent lies between the target and the others: it is the child.
    - What is made has the largest coefficient: a + m (b − c) with |m| ≤ 1. Written for b, weights
      are 1/m.
    """
    positive = weights > 0
    if positive.all():
        return True
    room = np.maximum(3 * errors, ROOM)
    return bool(np.count_nonzero(positive) >= 2 and (np.abs(weights) <= 1 + room).all())


def is_shaped(weights: NDArray[np.float64], errors: NDArray[np.float64]) -> bool:
    """
    Tell whether tools make sums of such weights: a convex part, and added differences.

    Each negative weight is then outweighed by positive ones of the same size, as in
    0.7 a + 0.3 b + 0.8 (c − d), or by the sum of such, where differences from one base were added.
    Where a parent is missing, others come near it in many ways, but hardly in this one.

    >>> is_shaped(np.array([1.0, 0.8, -0.3, -0.5]), np.full(4, 0.001))
    True
    >>> is_shaped(np.array([0.9, 0.29, -0.08, -0.11]), np.full(4, 0.001))
    False
    """
    minus = [int(each) for each in np.argsort(weights) if weights[each] < 0]
    plus = [int(each) for each in np.argsort(-weights) if weights[each] > 0]
    if any(-weights[each] <= CERTAIN * errors[each] for each in minus):
        return False
    return _balanced(weights, errors, minus, plus)


def _balanced(
    weights: NDArray[np.float64], errors: NDArray[np.float64], some: list[int], others: list[int]
) -> bool:
    """Tell whether disjoint groups of others balance groups of the first, one of each alone."""
    if not some:
        return True
    for size in range(1, len(some) + 1):
        for taken in combinations(some[1:], size - 1):
            own = [some[0], *taken]
            for most in range(1, len(others) + 1 if size == 1 else 2):
                for chosen in combinations(others, most):
                    every = [*own, *chosen]
                    room = max(3 * float(np.sqrt((errors[every] ** 2).sum())), ROOM)
                    if abs(float(weights[every].sum())) > room:
                        continue
                    left = [each for each in some if each not in own]
                    if _balanced(
                        weights, errors, left, [each for each in others if each not in chosen]
                    ):
                        return True
    return False


def is_turned(
    weights: NDArray[np.float64],
    between: NDArray[np.float64],
    to_target: NDArray[np.float64],
) -> bool:
    """
    Tell whether an added difference t = a + m (b − c) is another one's, a = t + m (c − b).

    - With c or b the base of the others, those changes are independent of each other that were
      really added: at right angles are a − c and b − c in the one, t − b and c − b in the other.
      The target is not the child if only the other is so.
    - Of three siblings, which have no base among them, neither is: a − c and b − c share −c. But
      t − b and c − b are at right angles if m is |b|² / (|b|² + |c|²), of changes from their base:
      1/2 where both moved as far. So around 1/2 nothing is decided.

    Parameters
    ----------
    weights
        Shape (k,).
    between, to_target
        Squared distances among the parents, (k, k), and from them to the target, (k,): of all
        blocks together, as angles in a single one of them scatter by more than they tell.
    """
    if len(weights) != 3 or np.count_nonzero(weights > 0) != 2:
        return False
    second, first = (int(each) for each in np.argsort(weights)[1:])
    share, minus = float(weights[second]), int(np.argmin(weights))
    if abs(weights[first] - 1) > ROOM or abs(share - 1) <= ROOM or abs(share - 0.5) <= HALFWAY:
        return False
    own = _cosine(between[first, minus], between[second, minus], between[first, second])
    turned = _cosine(to_target[second], between[second, minus], to_target[minus])
    return abs(turned) < UPRIGHT and abs(own) > abs(turned) + CLEARLY


def _cosine(first: float, second: float, opposite: float) -> float:
    """Return the cosine of a corner from the squares of its sides and of the side opposite."""
    return float((first + second - opposite) / (2 * np.sqrt(first * second)))
