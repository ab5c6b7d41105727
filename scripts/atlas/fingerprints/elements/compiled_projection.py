"""The compiled twin of projecting a stretch: for checkpoints of real size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements import projection as definition
from atlas.fingerprints.elements.jit import compiled
from atlas.fingerprints.elements.projection import (
    DRAWS,
    GAMMA,
    SHIFTS,
    SIGNS,
    SUMS,
    Projection,
    padded,
)

TOGETHER = 4
"""Rows that are turned before they are added, one after the other in each sum."""


@compiled(definition)
def _mixed(state):  # type: ignore[no-untyped-def]
    """See projection.mixed."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@compiled(definition)
def _project(values, seed, stretch, signs, shifts, sums):  # type: ignore[no-untyped-def]
    """Add a stretch of whole rows, a multiple of TOGETHER of them, to the sums."""
    words = np.empty(DRAWS, np.uint64)
    state = _mixed(seed + _mixed(stretch * np.uint64(GAMMA)))
    for number in range(DRAWS):
        state += np.uint64(GAMMA)
        words[number] = _mixed(state)
    flat = signs.reshape(-1)
    twice = np.empty(TOGETHER * 2 * SUMS, values.dtype)  # a window of a row twice is the row turned
    added = np.zeros(SUMS)
    for begin in range(0, values.size // SUMS, TOGETHER):
        for place in range(TOGETHER):
            row = begin + place
            is_negative = (words[row // 64] >> np.uint64(row % 64)) & np.uint64(1)
            sign = np.float32(-1.0) if is_negative else np.float32(1.0)
            own = values[row * SUMS : (row + 1) * SUMS]
            its_signs = flat[row * SUMS : (row + 1) * SUMS]
            once = twice[2 * place * SUMS : (2 * place + 1) * SUMS]
            again = twice[(2 * place + 1) * SUMS : (2 * place + 2) * SUMS]
            for column in range(SUMS):
                value = own[column] * (its_signs[column] * sign)
                once[column] = value
                again[column] = value
        first = twice[SUMS - shifts[begin] :][:SUMS]
        second = twice[3 * SUMS - shifts[begin + 1] :][:SUMS]
        third = twice[5 * SUMS - shifts[begin + 2] :][:SUMS]
        fourth = twice[7 * SUMS - shifts[begin + 3] :][:SUMS]
        for place in range(SUMS):
            total = added[place]
            total += np.float64(first[place])
            total += np.float64(second[place])
            total += np.float64(third[place])
            total += np.float64(fourth[place])
            added[place] = total
    turn = np.int64(words[DRAWS - 1] % np.uint64(SUMS))
    for place in range(SUMS):
        sums[(place + turn) % SUMS] += added[place]


def project(projection: Projection, values: NDArray[Any]) -> None:
    """Take in a tensor's next stretch as Projection.add does: float32 or float64."""
    _project(
        padded(values, TOGETHER * SUMS),
        np.uint64(projection.seed),
        np.uint64(projection.stretches),
        SIGNS,
        SHIFTS,
        projection.sums,
    )
    projection.stretches += 1
