"""Make checkpoints for the benchmarks: true shapes, distinct weights, written in seconds."""

import json
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

POOL_ELEMENTS = 1 << 24
"""Random weights that all models draw theirs from, each at another place."""

SIXTY_TWO_MILLION: dict[str, tuple[int, ...]] = {
    **{f"unet/large.{i}.weight": (10240, 1280) for i in range(2)},
    **{f"unet/middle.{i}.weight": (1280, 1280) for i in range(18)},
    **{f"unet/small.{i}.weight": (640, 640) for i in range(15)},
    **{f"unet/norm.{i}.weight": (320,) for i in range(225)},
}
"""260 tensors of 62 million parameters together."""


def models(
    folder: Path, count: int, shapes: Mapping[str, tuple[int, ...]], *, dtype: str = "F16"
) -> list[Path]:
    """Write what is still missing of so many models, and return their files."""
    files = [folder / f"m{number:04d}.safetensors" for number in range(count)]
    for seed, file in enumerate(files):
        if not file.exists():
            checkpoint(file, shapes, seed=seed, dtype=dtype)
    return files


def checkpoint(
    path: Path, shapes: Mapping[str, tuple[int, ...]], *, seed: int, dtype: str = "F16"
) -> None:
    """
    Write a safetensors file of random weights; other seeds give other contents of every tensor.

    A tensor is a stretch of the common pool, so writing takes as long as the disk does.
    """
    pool = _pool(dtype)
    places = np.random.default_rng(seed).integers(0, POOL_ELEMENTS, len(shapes))
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape)) * pool.itemsize
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for place, shape in zip(places, shapes.values(), strict=True):
            left = int(np.prod(shape))
            while left:
                stretch = pool[place : place + left]
                file.write(stretch.data)
                left, place = left - stretch.size, 0
    partial.replace(path)


@cache
def _pool(dtype: str) -> NDArray[np.float16] | NDArray[np.float32]:
    values = np.random.default_rng(0).standard_normal(POOL_ELEMENTS, np.float32) * 0.05
    return values.astype(np.float16) if dtype == "F16" else values


def elements(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the parameters of one model."""
    return sum(int(np.prod(shape)) for shape in shapes.values())


def scaled(shapes: Mapping[str, tuple[int, ...]], factor: float) -> dict[str, tuple[int, ...]]:
    """Return shapes with the first extent larger or smaller."""
    return {name: (max(1, int(first * factor)), *rest) for name, (first, *rest) in shapes.items()}
