"""Decode stored bytes to numbers, and round numbers to half precision, with numpy alone."""

from functools import cache

import numpy as np
from numpy.typing import NDArray


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
            return float8_values(dtype)[raw]


@cache
def float8_values(dtype: str) -> NDArray[np.float32]:
    """
    Return the 256 values of an 8-bit float by their codes, as float32.

    f8_e5m2 is the upper byte of a float16. f8_e4m3fn has no infinities, a bias of 7, and NaN where
    all bits but the sign are set (Micikevicius et al., 2022, arXiv:2209.05433, table 1).
    """
    codes = np.arange(256, dtype=np.uint32)
    if dtype == "f8_e5m2":
        return (codes << 8).astype(np.uint16).view(np.float16).astype(np.float32)
    exponent, mantissa = (codes >> 3) & 15, codes & 7
    normal = np.ldexp(1 + mantissa / 8, exponent.astype(np.int64) - 7)
    values = np.where(exponent == 0, np.ldexp(mantissa / 8, -6), normal)
    values[(codes & 127) == 127] = np.nan
    return np.where(codes < 128, values, -values).astype(np.float32)


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
