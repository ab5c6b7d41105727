"""Which of the models of one exact relation is the child: what signs and sizes of weights tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROOM = 0.005
"""By how much a weight may be off, beyond three of its errors."""
UPRIGHT = 0.03
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
