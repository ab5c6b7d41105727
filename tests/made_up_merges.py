"""Made-up models for tests of recipes: vectors, their roundings, and what is between them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MANTISSA = {"f32": 23, "f16": 10, "bf16": 7}
LEAST_EXPONENT = {"f32": -126, "f16": -14, "bf16": -126}
DTYPES = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def rounded(values: Array, dtype: str) -> Array:
    """Return values rounded to a dtype, as float64."""
    return values.astype(DTYPES[dtype]).astype(np.float64)


def rounding_floor(values: Array, dtype: str) -> float:
    """Return the L2 that rounding to the dtype has left of values, from their own exponents."""
    exponent = np.floor(np.log2(np.maximum(np.abs(values), 1e-300)))
    exponent = np.maximum(exponent, LEAST_EXPONENT[dtype])
    places = 2.0 ** (exponent - MANTISSA[dtype])
    return float(np.sqrt((places**2 / 12).sum()))


def squared_distances(models: Array) -> Array:
    """Return all squared distances of rows."""
    return np.array([((models - one) ** 2).sum(axis=1) for one in models])


def tunes(count: int, size: int, *, seed: int = 0, dtype: str = "f16") -> tuple[Array, Array]:
    """Return a base and independent fine-tunes of it, in the dtype: (size,), (count, size)."""
    random = np.random.default_rng(seed)
    base = 0.05 * random.standard_normal(size)
    moved = base + 0.003 * random.standard_normal((count, size))
    return rounded(base, dtype), rounded(moved, dtype)


def like(parent: Array, base: Array, count: int, *, share: float = 0.3, seed: int = 9) -> Array:
    """Return models in float16 whose changes correlate with a parent's by a share."""
    random = np.random.default_rng(seed)
    noise = 0.003 * random.standard_normal((count, len(base)))
    return rounded(base + share * (parent - base) + np.sqrt(1 - share**2) * noise, "f16")
