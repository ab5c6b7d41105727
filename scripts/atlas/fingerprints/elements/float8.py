"""The two 8-bit floating formats: their values by code, and rounding to them."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Float8:
    """An 8-bit format of a sign, an exponent and a mantissa."""

    bias: int
    """Of the exponent."""
    mantissa: int
    """Bits."""
    beyond: int
    """Code of what is too large: NaN in f8_e4m3fn, which has no infinities."""

    @property
    def shift(self) -> int:
        """How many more bits of mantissa a float32 has."""
        return 23 - self.mantissa

    @property
    def rebias(self) -> int:
        """What a float32's bits lose with its exponent's bias."""
        return (127 - self.bias) << 23

    @property
    def least_normal(self) -> int:
        """Bits of the float32 below which this format has no leading 1."""
        return (128 - self.bias) << 23

    @property
    def magic(self) -> float:
        """A power of two whose float32 neighbours lie one of this format's smallest steps apart."""
        return 2.0 ** (1 - self.bias - self.mantissa + 23)


FORMATS = {
    "f8_e4m3fn": Float8(bias=7, mantissa=3, beyond=0x7F),
    "f8_e5m2": Float8(bias=15, mantissa=2, beyond=0x7C),
}


@cache
def values_of(dtype: str) -> NDArray[np.float32]:
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


def round_to_float8(values: NDArray[np.float32], dtype: str) -> NDArray[np.uint8]:
    """
    Round to the nearest value, ties to even, as torch does: return codes, uint8.

    What is too large becomes NaN in f8_e4m3fn and infinite in f8_e5m2; codes of NaN are not
    torch's, for no tensor that holds one is ever called a copy.
    """
    form = FORMATS[dtype]
    bits = values.view(np.uint32)
    size = bits & np.uint32(0x7FFFFFFF)
    even = (size >> np.uint32(form.shift)) & np.uint32(1)
    half = np.uint32((1 << (form.shift - 1)) - 1)
    # wraps around for the small ones, which are taken from `small`
    normal = (size - np.uint32(form.rebias) + half + even) >> np.uint32(form.shift)
    magic = np.float32(form.magic)
    with np.errstate(invalid="ignore"):  # some NaN signal that they are added to
        small = (size.view(np.float32) + magic).view(np.uint32) - magic.view(np.uint32)
    code = np.where(size < np.uint32(form.least_normal), small, normal)
    code = np.minimum(code, np.uint32(form.beyond))
    signed: NDArray[np.uint8] = (code | (bits >> np.uint32(24)) & np.uint32(0x80)).astype(np.uint8)
    return signed
