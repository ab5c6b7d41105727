"""Put arrays into files as checkpoints do, and describe where they lie: no format, no names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from atlas.checkpoint import Checkpoint, Part, Tensor

DTYPES: Mapping[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        "f64": np.float64,
        "f32": np.float32,
        "f16": np.float16,
        "bf16": ml_dtypes.bfloat16,
        "f8_e4m3fn": ml_dtypes.float8_e4m3fn,
        "f8_e5m2": ml_dtypes.float8_e5m2,
        "i64": np.int64,
        "u8": np.uint8,
        "bool": np.bool_,
    }.items()
}
"""The atlas's names of dtypes to numpy's."""

NAMES = {dtype: name for name, dtype in DTYPES.items()}
GAP = b"\xa5" * 3
"""Foreign bytes between tensors, so that a misplaced read shows."""


def checkpoint(path: Path, arrays: Mapping[str, np.ndarray]) -> Checkpoint:
    """Write arrays to one file, an odd gap before each, and return them as a checkpoint."""
    tensors = []
    with path.open("wb") as file:
        for name, array in sorted(arrays.items()):
            file.write(GAP)
            part = Part(file=path, offset=file.tell(), shape=array.shape)
            file.write(np.ascontiguousarray(array).tobytes())
            tensors.append(tensor(name, array, part))
    return Checkpoint(path=path, files=(path,), tensors=tuple(tensors))


def tensor(name: str, array: np.ndarray, *parts: Part) -> Tensor:
    """Describe an array that lies in these parts."""
    return Tensor(
        key=name,
        name=name,
        component=name.split("/")[0],
        block="block",
        role="other",
        dtype=NAMES[array.dtype],
        shape=array.shape,
        parts=parts,
    )
