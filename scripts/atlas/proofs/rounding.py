"""Round as processors do: fused multiply-adds, and the dtypes that mergers compute in."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.decoding import round_to, round_to_bf16, round_to_f16

Singles = NDArray[np.float32]
Values = NDArray[np.float32] | NDArray[np.float64]
Rounding = Callable[[Singles], Singles]

HALFWAY = np.uint64(1 << 28)
BELOW = np.uint64((1 << 29) - 1)
"""The bits of a float64 that float32 has no place for."""
LEAST = 2.0**-125
"""Below it float32 has fewer digits, and the halfway points lie elsewhere."""


def fused(values: Singles, factor: np.float32, added: Singles) -> Singles:
    """
    Return values × factor + added, rounded once: float32, as a fused multiply-add is.

    The product of two float32 is exact in float64; the sum is not, and rounding it twice goes wrong
    where the first rounding ends halfway between two float32. There what it lost decides (Boldo and
    Melquiond 2008, "Emulation of a FMA and correctly rounded sums": round to odd).
    """
    products = values.astype(np.float64) * np.float64(factor)
    total = products + added
    with np.errstate(over="ignore"):
        rounded = total.astype(np.float32)
        doubtful = (total.view(np.uint64) & BELOW) == HALFWAY
        doubtful |= (np.abs(total) < LEAST) & (total != 0)
        if doubtful.any():
            rounded[doubtful] = _rounded_once(products[doubtful], added[doubtful])
    return rounded


def to_f16(values: Singles) -> Singles:
    """Round to the nearest float16, ties to even; kept as float32."""
    return round_to_f16(values).view(np.float16).astype(np.float32)


def to_bf16(values: Singles) -> Singles:
    """Round to the nearest bfloat16, ties to even; kept as float32."""
    return (round_to_bf16(np.ascontiguousarray(values)).astype(np.uint32) << 16).view(np.float32)


def as_it_is(values: Singles) -> Singles:
    """Leave float32 as it is."""
    return values


ROUNDINGS: dict[str, Rounding] = {"f32": as_it_is, "f16": to_f16, "bf16": to_bf16}
"""The dtypes that mergers compute in: values come in and go out as float32."""


def cast(values: Values, dtype: str) -> Values:
    """Return values rounded to a dtype of ROUNDINGS; the empty one changes nothing."""
    if not dtype:
        return values
    with np.errstate(over="ignore"):
        return ROUNDINGS[dtype](values.astype(np.float32, copy=False))


def stored(values: Values, dtype: str) -> NDArray[Any]:
    """
    Return the bits of values once they are stored in a dtype, rounded to the nearest, ties to even.

    A float64 goes to float16 in one step, as numpy does it; to bfloat16 and float8 by float32.
    """
    with np.errstate(over="ignore"):
        if dtype == "f64":
            return values.astype(np.float64).view(np.uint64)
        if dtype == "f16":
            return values.astype(np.float16).view(np.uint16)
        return round_to(np.ascontiguousarray(values.astype(np.float32, copy=False)), dtype)


def _rounded_once(products: NDArray[np.float64], added: Singles) -> Singles:
    """Return the sums rounded to odd in float64, and from there to float32."""
    other = added.astype(np.float64)
    total = products + other
    back = total - products
    lost = (products - (total - back)) + (other - back)
    even = (total.view(np.uint64) & np.uint64(1)) == 0
    towards = np.nextafter(total, np.copysign(np.inf, lost))
    return np.where((lost != 0) & even, towards, total).astype(np.float32)
