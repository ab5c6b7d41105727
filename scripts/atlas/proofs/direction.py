"""Which of a target and its parents was made from the others: only the child can be made again."""

from collections.abc import Sequence

import numpy as np

from atlas.proofs.arithmetic import Weights
from atlas.proofs.rounding import cast
from atlas.proofs.searching import search
from atlas.proofs.values import Chunk, Making

LEAST_WEIGHT = 1e-3
"""A parent of less can't be told from its children by turning around."""
DIGITS = {"f32": 24, "f16": 11, "bf16": 8}
"""Binary digits of a number."""


def turned_share(sample: Sequence[Chunk], making: Making) -> float | None:
    """
    Return the largest share of a parent that its child and the others make; None of no sample.

    m = w₁a + w₂b holds as a = (m − w₂b) / w₁ too. Rounding the child loses what would make the
    parent again, so the right way round makes 100 %, and every other less. Of a parent that has
    fewer digits than its child this tells nothing: that is made again from whatever comes near. But
    had it been made of the child, further digits would not have come out right: it counts as 0.
    """
    if not sample:
        return None
    shares = [
        share
        for place, weight in enumerate(making.weights)
        if abs(weight) > LEAST_WEIGHT and (share := _share_of(place, sample, making)) is not None
    ]
    return max(shares, default=0.0)


def turned_weights(weights: Weights, place: int) -> Weights:
    """
    Return the weights by which a parent follows from its child, which takes its place.

    >>> turned_weights((0.5, 0.25, 0.25), 0)
    (2.0, -0.5, -0.5)
    """
    own = weights[place]
    return tuple(1 / own if at == place else -weight / own for at, weight in enumerate(weights))


def _share_of(place: int, sample: Sequence[Chunk], making: Making) -> float | None:
    exchanged = [chunk.turned(place) for chunk in sample if not _has_fewer_digits(chunk, place)]
    casts = [("",) if at == place else (cast,) for at, cast in enumerate(making.casts)]
    found = search(exchanged, [turned_weights(making.weights, place)], casts)
    return max((share for _, tally in found if (share := tally.share) is not None), default=None)


def _has_fewer_digits(chunk: Chunk, place: int) -> bool:
    """Tell whether most of a child's numbers have digits that a parent's dtype has not."""
    child, parent = chunk.dtypes[0], chunk.dtypes[place + 1]
    if DIGITS.get(parent, 64) >= DIGITS.get(child, 64):
        return False
    values = chunk.target_values
    return 2 * int(np.count_nonzero(cast(values, parent) != values)) > values.size
