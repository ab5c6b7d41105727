"""Decode stored bytes to numbers, and round numbers to narrower dtypes, with numpy alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements import float8


def decode(raw: NDArray[np.uint8], dtype: str) -> NDArray[np.float32] | NDArray[np.float64]:
    """
    Decode a floating dtype's little-endian bytes: to float64 for f64, to float32 for all others.

    Every value of the narrower dtypes is exact in float32. The result may share memory with `raw`.
    """
    match dtype:
        case "f64":
            return raw.view("<f8")
        case "f32":
            return raw.view("<f4")
        case "f16":
            return raw.view("<f2").astype(np.float32)
        case "bf16":
            return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
        case _:
            return float8.values_of(dtype)[raw]


def round_to_f16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round to the nearest float16, ties to even; too large ones become infinite. Return bits."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float16).view(np.uint16)


def round_to_bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round to the nearest bfloat16, ties to even; every NaN becomes 0x7fc0. Return bits."""
    bits = values.view(np.uint32)
    even = (bits >> 16) & 1
    rounded = ((bits + np.uint32(0x7FFF) + even) >> 16).astype(np.uint16)
    rounded[np.isnan(values)] = 0x7FC0
    return rounded


def round_to(values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """Round to the nearest value of a dtype of ROUNDED, ties to even. Return bits."""
    match dtype:
        case "f32":
            return values.view(np.uint32)
        case "f16":
            return round_to_f16(values)
        case "bf16":
            return round_to_bf16(values)
        case _:
            return float8.round_to_float8(values, dtype)
