"""Made-up weights and what is done to them: adapters of low rank, and full tunes."""

from __future__ import annotations

import ml_dtypes
import numpy as np

KINDS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def weights(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return float32 weights with heavy tails, whose rows and columns are not alike in size."""
    size = np.exp(0.3 * generator.standard_normal((rows, 1)))
    size = 0.03 * size * np.exp(0.3 * generator.standard_normal((1, columns)))
    return (size * generator.standard_t(6, (rows, columns))).astype(np.float32)


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """Return what values are once stored in a dtype: float32."""
    return values.astype(np.float32).astype(KINDS[dtype]).astype(np.float32)


def lora(generator: np.random.Generator, rows: int, columns: int, rank: int) -> np.ndarray:
    """Return a change of a rank, of norm 1; the last direction is a third of the first."""
    up = generator.standard_normal((rows, rank)) * np.linspace(1, 1 / 3, rank)
    return unit(up @ generator.standard_normal((rank, columns)))


def loha(generator: np.random.Generator, rows: int, columns: int, dimension: int) -> np.ndarray:
    """Return the product of two changes of a rank, element by element, of norm 1."""
    one, other = (
        generator.standard_normal((rows, dimension))
        @ generator.standard_normal((dimension, columns))
        for _ in range(2)
    )
    return unit(one * other)


def tune(generator: np.random.Generator, rows: int, columns: int, power: float) -> np.ndarray:
    """Return a change of full rank whose singular values sink by a power, of norm 1."""
    side = min(rows, columns)
    left = np.linalg.qr(generator.standard_normal((rows, side)))[0]
    right = np.linalg.qr(generator.standard_normal((columns, side)))[0]
    return unit((left * np.arange(1, side + 1.0) ** -power) @ right.T)


def unit(change: np.ndarray) -> np.ndarray:
    """Return a change divided by its norm."""
    return change / np.linalg.norm(change)


def changed(
    base: np.ndarray, change: np.ndarray, size: float, dtypes: tuple[str, str], *, once: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return a base and what a change of relative size makes of it, both as stored in their dtypes.

    `once`: the base as stored is changed; else the one before it was rounded.
    """
    stored = rounded(base, dtypes[0])
    whole = (stored if once else base) + size * np.linalg.norm(base) * change
    return stored, rounded(whole, dtypes[1])
