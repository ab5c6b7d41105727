"""The rank of a difference of two matrices, above what rounding makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.low_rank import noise, spectra
from atlas.low_rank.hadamard import dimension_of
from atlas.low_rank.noise import Noise

LEAST_SIDE = 16
"""Smaller matrices tell nothing: of fewer rows, chance exceeds the bound of rounding."""
GAP = 1.3
"""How much larger the last singular value must be that counts than the first that doesn't."""
FEW = 4
FEW_GAP = 3.0
"""The gap that ranks below FEW must have: one direction stands out in light full tunes too."""
TAIL = (0.5, 1.25)
"""
What must be left below the gap, as a sum of squares relative to rounding's.

More is no rounding. Less is left where most elements did not change, as the change is smaller than
their spacing: what is seen of it then has another rank than it had.
"""
MOST = 0.75
"""The largest rank that is low, relative to the smaller side."""
LARGER = 1.05
"""How much larger a threshold must be to be tried besides."""
BEYOND = 8
"""Directions that are followed beyond the rank that is expected."""


class Kind(StrEnum):
    """What the spectrum of a difference looks like."""

    LOW = "low"
    """A few values stand out, a gap follows, and what is left is as large as rounding."""
    FULL = "full"
    """There is more than rounding, and no gap."""
    BURIED = "buried"
    """Few values stand out, and what follows can't be told from rounding."""
    ROUNDING = "rounding"
    """Nothing but what rounding makes."""
    SMALL = "small"
    """The matrix is too small to tell."""


@dataclass(frozen=True)
class Rank:
    """What was found of one difference."""

    kind: Kind
    rank: int
    """Singular values above what rounding makes."""
    side: int
    """The smaller side of the matrix: no rank is larger."""
    gap: float = 1.0
    """How much larger the last value that counts is than the next, where the rank is low."""


def rank_of(
    first: NDArray[Any], second: NDArray[Any], dtypes: tuple[str, str], expected: int = 0
) -> Rank:
    """
    Return the rank of second − first; it is the same from either side.

    Which of both was rounded after the change is not known, nor whether the change was computed in
    half precision: the least such noise is taken that leaves a gap and no more than itself.

    Parameters
    ----------
    first, second
        Two matrices as decoded, float32 or float64 (m, n), finite.
    dtypes
        What they were rounded to.
    expected
        A rank that is looked for: so many singular values are computed, and a few more; 0 for all.
    """
    difference = second - first
    side = min(difference.shape)
    if side < LEAST_SIDE:
        return Rank(Kind.SMALL, 0, side)
    noises = _noises(first, second, dtypes, difference)
    least = largest = next(noises)
    energy = _energy(difference)
    if expected and expected + BEYOND + spectra.MORE < side:
        values = spectra.leading(difference, expected + BEYOND)[1]
    else:
        values = spectra.all_of(difference, least.threshold)
    for each in chain([least], noises):
        largest = each
        rank = _above(values, each)
        if rank <= MOST * side and _is_low(values, rank, energy, each):
            gap = float(values[rank - 1] / max(values[rank], np.finfo(float).tiny))
            return Rank(Kind.LOW, rank, side, gap)
    rank = _above(values, largest)
    left = energy - float(np.square(values[:rank]).sum())
    if left > TAIL[1] * largest.energy or rank > side / 2 or rank == values.size:
        return Rank(Kind.FULL, rank, side)
    return Rank(Kind.BURIED if rank else Kind.ROUNDING, rank, side)


def loha_of(first: NDArray[Any], second: NDArray[Any], rank: int) -> int:
    """Return the dimension of the LoHa that a difference of this rank is; 0 where it is none."""
    left, _, right = spectra.leading(second - first, rank)
    return dimension_of(left, right.T)


def _noises(
    first: NDArray[Any], second: NDArray[Any], dtypes: tuple[str, str], difference: NDArray[Any]
) -> Iterator[Noise]:
    """Yield the errors that may be in a difference, the least first, none hardly above another."""
    one, other = sorted(
        (
            noise.of_rounding(matrix, dtype)
            for matrix, dtype in zip((first, second), dtypes, strict=True)
        ),
        key=lambda each: each.energy,
    )
    both = one + other
    halves = (both + noise.of_rounding(difference, dtype) for dtype in ("f16", "bf16"))
    last = 0.0
    for each in chain((one, other, both), halves):
        if each.threshold > LARGER * last:
            last = each.threshold
            yield each


def _above(values: NDArray[np.float64], errors: Noise) -> int:
    return int(np.count_nonzero(values > errors.threshold))


def _is_low(values: NDArray[np.float64], rank: int, energy: float, errors: Noise) -> bool:
    """Return whether values stop at a gap, with no more than errors left."""
    if not 0 < rank < values.size:
        return False
    left = energy - float(np.square(values[:rank]).sum())
    rows, columns = errors.rows.size, errors.columns.size
    expected = errors.energy * (1 - rank / rows) * (1 - rank / columns)
    gap = GAP if rank >= FEW else FEW_GAP
    has_gap = bool(values[rank - 1] >= gap * values[rank])
    return has_gap and TAIL[0] * expected <= left <= TAIL[1] * expected


def _energy(matrix: NDArray[Any]) -> float:
    """Return the sum of squares, in float64."""
    rows = (row.astype(np.float64) for row in matrix)
    return float(sum(row @ row for row in rows))
