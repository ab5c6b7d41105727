"""Write weights as quantised files have them: codes of integers, with scales beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

import factory

Scheme = Callable[[str, np.ndarray, np.random.Generator], factory.Weights]


def _codes(shape: tuple[int, ...], dtype: type, draw: np.random.Generator) -> np.ndarray:
    limits = np.iinfo(dtype)
    return draw.integers(limits.min, limits.max, shape, dtype)


def _packed(value: np.ndarray, by: int) -> tuple[int, int]:
    return value.shape[0], max(1, value[0].size // by)


SCHEMES: Mapping[str, Scheme] = {
    "DFloat11": lambda stem, value, draw: {
        f"{stem}encoded_exponent": _codes((value.size,), np.uint8, draw),
        f"{stem}sign_mantissa": _codes((value.size,), np.uint8, draw),
        f"{stem}split_positions": np.arange(4),
    },
    "SDNQ": lambda stem, value, draw: {
        f"{stem}weight": _codes(value.shape, np.int8, draw),
        f"{stem}scale": np.ones((len(value), 1), np.float32),
    },
    "nobody's scheme": lambda stem, value, draw: {
        f"{stem}packs": _codes(value.shape, np.int16, draw),
        f"{stem}steps": np.ones((len(value), 1), np.float32),
    },
    "uint4 of SDNQ": lambda stem, value, draw: {
        f"{stem}weight": _codes((value.size // 2,), np.uint8, draw),
        f"{stem}scale": np.ones((len(value), 1), np.float32),
        f"{stem}zero_point": np.ones((len(value), 1), np.float32),
        f"{stem}svd_up": np.ones((len(value), 2), np.float32),
    },
    "MLX": lambda stem, value, draw: {
        f"{stem}weight": _codes(_packed(value, 8), np.uint32, draw),
        f"{stem}scales": np.ones((len(value), 1), np.float16),
        f"{stem}biases": np.ones((len(value), 1), np.float16),
    },
    "HQQ": lambda stem, value, draw: {
        f"{stem}W_q": _codes(_packed(value, 2), np.uint8, draw),
        f"{stem}zero": np.ones((len(value), 1), np.float16),
    },
    "torchao": lambda stem, value, draw: {
        f"{stem}weight_qdata": _codes(value.shape, np.int8, draw),
        f"{stem}weight_scale": np.ones((len(value), 1), np.float32),
    },
}
"""What becomes of a weight, by scheme: `stem` is its key up to `weight`."""


def quantised(named: factory.Weights, scheme: str, seed: int = 0) -> factory.Weights:
    """Return weights of which all matrices and kernels are codes; another seed draws others."""
    draw = np.random.default_rng(seed)
    done: factory.Weights = {}
    for key, value in named.items():
        if key.endswith(".weight") and value.ndim > 1:
            done |= SCHEMES[scheme](key.removesuffix("weight"), value, draw)
        else:
            done[key] = value
    return done
