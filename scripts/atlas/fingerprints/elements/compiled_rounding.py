"""The compiled twin of adding up what rounding leaves: for checkpoints of real size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements import moments as definition
from atlas.fingerprints.elements.jit import bits_of_single, compiled, single_from_bits
from atlas.fingerprints.elements.moments import LANES
from atlas.fingerprints.elements.rounding import SPACINGS, Rounding

LEAST = {dtype: np.float32(each.least).view(np.uint32) for dtype, each in SPACINGS.items()}
"""The bits of the least power of two, as float32."""


@compiled(fastmath={"contract"})
def _square(value, least):  # type: ignore[no-untyped-def]
    """Return the square of the power of two below a float32, given the bits of the least one."""
    exponent = bits_of_single(np.float32(value)) & np.uint32(0x7F800000)
    power = np.float64(single_from_bits(max(exponent, least)))
    return power * power


@compiled(definition, fastmath={"contract"})
def _add(values, least, lanes, added):  # type: ignore[no-untyped-def]
    """Add to lanes each element's square, one after the other; return whether all are finite."""
    for lane in range(LANES):
        added[lane] = lanes[lane]
    together = values.size - values.size % (4 * LANES)
    for begin in range(0, together, 4 * LANES):
        # four rows at a time, one after the other in each lane: it halves the time
        first = values[begin : begin + LANES]
        second = values[begin + LANES : begin + 2 * LANES]
        third = values[begin + 2 * LANES : begin + 3 * LANES]
        fourth = values[begin + 3 * LANES : begin + 4 * LANES]
        for lane in range(LANES):
            total = added[lane]
            for value in (first[lane], second[lane], third[lane], fourth[lane]):
                total += _square(value, least)
            added[lane] = total
    for begin in range(together, values.size, LANES):
        row = values[begin : begin + LANES]
        for lane in range(row.size):
            added[lane] += _square(row[lane], least)
    total = 0.0
    for lane in range(LANES):
        total += added[lane]
    return total < np.inf


def add(rounding: Rounding, values: NDArray[Any]) -> None:
    """Take in a tensor's next chunk as Rounding.add does: float32, or float64 in its own way."""
    if values.dtype == np.float32:
        added = np.empty(LANES)
        if _add(values, LEAST[rounding.dtype], rounding.lanes, added):
            rounding.lanes = added
            return
    rounding.add(values)
