"""
How far rounding to its own dtype leaves a tensor from what was rounded.

Rounding to nearest errs by up to half a spacing of the dtype, evenly: by spacing² / 12 in the mean
square (Widrow, Kollár and Liu 1996, Statistical theory of quantization). So much of a difference
between two tensors may be rounding alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.moments import LANES, LARGEST, folded


@dataclass(frozen=True)
class Spacing:
    """A floating dtype's numbers: their spacing is 2^-digits of the power of two below them."""

    digits: int
    """Bits of the fraction that are stored."""
    least: float
    """The least power of two: numbers below it, and 0, are spaced as it is."""


SPACINGS = {
    "f64": Spacing(52, 2.0**-480),
    "f32": Spacing(23, 2.0**-126),
    "f16": Spacing(10, 2.0**-14),
    "bf16": Spacing(7, 2.0**-126),
    "f8_e4m3fn": Spacing(3, 2.0**-6),
    "f8_e5m2": Spacing(2, 2.0**-14),
}
"""By floating dtype. Of float64 what is below 2^-480 counts as that, so that squares keep."""

WORDS: Mapping[Any, tuple[type[np.generic], int]] = {
    np.dtype(np.float32): (np.uint32, 0x7F800000),
    np.dtype(np.float64): (np.uint64, 0x7FF << 52),
}
"""What holds an element's bits, and which are the exponent's, by what elements are decoded to."""


def powers_below(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    """
    Return the powers of two below numbers of a dtype, of which their spacings are a fixed part.

    They are not finite where the numbers aren't.

    Parameters
    ----------
    values
        float32 or float64, as decoded; of any shape.
    dtype
        One of SPACINGS.
    """
    word, exponent = WORDS[values.dtype]
    powers: NDArray[Any] = (values.view(word) & word(exponent)).view(values.dtype)
    np.maximum(powers, values.dtype.type(SPACINGS[dtype].least), out=powers)
    return powers


@dataclass
class Rounding:
    """The squares of the powers of two below a stream's finite elements, added up in LANES."""

    dtype: str
    lanes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(LANES))
    """float64 (LANES,): element i of the stream is in i % LANES."""

    def add(self, values: NDArray[Any]) -> None:
        """
        Take in the next chunk: float32 or float64 (count,), the last one or a multiple of LANES.

        Each lane adds one element after the other through all chunks, so that where a chunk ends
        changes nothing.
        """
        powers = powers_below(values, self.dtype)
        is_finite = powers <= values.dtype.type(min(LARGEST, float(np.finfo(values.dtype).max)))
        squares = np.where(is_finite, powers, 0).astype(np.float64) ** 2
        whole = squares.size - squares.size % LANES
        rows = np.concatenate([self.lanes, squares[:whole]]).reshape(-1, LANES)
        self.lanes = rows.sum(axis=0)  # along the first axis numpy adds row after row
        self.lanes[: squares.size - whole] += squares[whole:]

    @property
    def norm(self) -> float:
        """Root of the sum of spacing² / 12 over the finite elements."""
        return 2.0 ** -SPACINGS[self.dtype].digits * sqrt(folded(self.lanes) / 12)
