"""Which of the models of one exact relation is the child: what signs and sizes of weights tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROOM = 0.005
"""By how much a weight may be off, beyond three of its errors."""
UPRIGHT = 0.01
"""Two cosines are as good as equal if they differ by less."""


def may_be_child(
    weights: NDArray[np.float64],
    errors: NDArray[np.float64],
    between: NDArray[np.float64],
    to_target: NDArray[np.float64],
) -> bool:
    """
    Tell whether the target of a sum with negative weights may be what was made.

    The relation t = Σ w c holds for any of its models as target. It is written here with positive
    terms on both sides, p + … = t + n + …:

    - With one positive weight, that parent lies between the target and the others: it is the child.
    - What is made has the largest coefficient: a + m (b − c) with |m| ≤ 1. Written for b, weights
      are 1/m.
    - Of t = a + m (b − c) and a = t + m (c − b), those changes are independent of each other that
      were really added: at right angles are a − c and b − c in the one, t − b and c − b in the
      other.

    Parameters
    ----------
    weights, errors
        Shape (k,).
    between, to_target
        Squared distances among the parents, (k, k), and from them to the target, (k,).
    """
    room = np.maximum(3 * errors, ROOM)
    positive = weights > 0
    if positive.all():
        return True
    if np.count_nonzero(positive) < 2 or (np.abs(weights) > 1 + room).any():
        return False
    if len(weights) != 3:
        return True
    minus = int(np.argmin(weights))
    first, second = sorted(
        (int(each) for each in np.flatnonzero(positive)), key=lambda i: -weights[i]
    )
    if np.abs(weights[first] - 1) > room[first] or np.abs(weights[second] - 1) <= room[second]:
        return True
    own = _cosine(between[first, minus], between[second, minus], between[first, second])
    turned = _cosine(to_target[second], between[second, minus], to_target[minus])
    return bool(abs(own) <= abs(turned) + UPRIGHT)


def _cosine(first: float, second: float, opposite: float) -> float:
    """Return the cosine of a corner from the squares of its sides and of the side opposite."""
    return float((first + second - opposite) / (2 * np.sqrt(first * second)))
