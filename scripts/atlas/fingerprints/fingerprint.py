"""Fingerprint a checkpoint: one row per tensor with its place, digests, moments and rounding."""

import os
import sys
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis.errors import printable
from atlas.fingerprints import provenance
from atlas.fingerprints.elements.buffers import aligned_empty, keep_freed_memory
from atlas.fingerprints.elements.decoding import decode, round_to
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles, unchanged
from atlas.fingerprints.elements.moments import Moments
from atlas.fingerprints.elements.projection import STRETCH, Projection, seed_of
from atlas.fingerprints.elements.reading import read_range
from atlas.fingerprints.elements.rounding import Rounding
from atlas.fingerprints.sketches import KEY, Projected, packed, sketch
from atlas.names.kinds import MODEL
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, ROUNDED, Checkpoint, Tensor, rounds_to

WORTH_COMPILING = 1 << 25
"""Elements of a checkpoint from which on the compiled code is used, where it is not loaded yet."""
COMPILED = "atlas.fingerprints.elements.compiled"

CHUNK_ELEMENTS = STRETCH
"""Elements in hand at a time: a chunk's float64 copies stay in a core's cache."""

Chunks = Callable[
    [NDArray[np.uint8], str, Collection[str], Moments, Projection | None, Rounding | None],
    dict[str, NDArray[Any]],
]
"""Takes in a chunk's bytes: see plain_chunk."""

PART = pa.struct(
    {
        "file": pa.string(),
        "offset": pa.int64(),
        "shape": pa.list_(pa.int64()),
        "strides": pa.list_(pa.int64()),
    }
)

SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "name": pa.string(),
        "component": pa.string(),
        "block": pa.string(),
        "role": pa.string(),
        "dtype": pa.string(),
        "shape": pa.list_(pa.int64()),
        "numel": pa.int64(),
        "digest": pa.string(),
        **{f"digest_{dtype}": pa.string() for dtype in ROUNDED},
        "norm": pa.float64(),
        "mean": pa.float64(),
        "std": pa.float64(),
        "kurtosis": pa.float64(),
        "rounding": pa.float64(),
        "nonfinite": pa.int64(),
        "parts": pa.list_(PART),
    }
)


def table(checkpoint: Checkpoint, *, threads: int = 1) -> pa.Table:
    """
    Read a checkpoint once, in bounded memory, and return its fingerprint in order of name.

    `digest` is the xxh3-128 of dtype, shape and bytes; `digest_f16` and its like are the
    digests that the tensor has after rounding to nearest-even, so that a narrower copy is
    recognised. Moments are taken in float64 over the finite elements; `kurtosis` is the excess,
    and `rounding` the norm of what rounding to the tensor's own dtype leaves. Integer tensors have
    none of these. The metadata of the table's schema has the sketches of all blocks, for
    `sealed.write` to keep, and what the files say of where the model comes from. `parts` says
    where the elements lie, with files relative to `anchor(checkpoint.path)`, so that distances need
    not open the checkpoint again.

    Raises
    ------
    AtlasError
        When a file can't be read to its end, or changes meanwhile.
    """
    in_file_order = sorted(checkpoint.tensors, key=_first_byte)
    chunks = _chunks_for(sum(tensor.numel for tensor in in_file_order))
    files = OpenFiles()
    with unchanged(checkpoint.files), ThreadPoolExecutor(threads) as pool:
        # handing a small tensor over to a thread costs as much as reading it
        each = pool.map if threads > 1 else map
        described = list(each(lambda tensor: _describe(files, tensor, chunks), in_file_order))
        told = provenance.provenance(checkpoint)
    rows = {projected.name: row for row, projected in described}
    home = anchor(checkpoint.path)
    records = [
        _identity(tensor, home) | rows[tensor.name]
        for tensor in sorted(checkpoint.tensors, key=lambda tensor: tensor.name)
    ]
    compared = described if checkpoint.kind == MODEL else []
    sketches = sketch(projected for _, projected in compared)
    return pa.Table.from_pylist(records, schema=SCHEMA).replace_schema_metadata(
        {KEY: packed(sketches), provenance.KEY: provenance.packed(told)}
    )


def notes(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what stands beside a fingerprint's rows, in its file's metadata."""
    return {
        "architectures": checkpoint.architectures,
        "findings": [printable(finding) for finding in checkpoint.findings],
        "kind": checkpoint.kind,
        "unread": {component: asdict(each) for component, each in checkpoint.unread.items()},
    }


def anchor(path: Path) -> Path:
    """Return the folder that a checkpoint's files are named from: its own, or its parent."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def _first_byte(tensor: Tensor) -> tuple[str, int]:
    """Sort tensors as a sequential read of the files meets them."""
    return (str(tensor.parts[0].file), tensor.parts[0].offset) if tensor.parts else ("", 0)


def _identity(tensor: Tensor, home: Path) -> dict[str, Any]:
    parts = [
        {
            "file": Path(os.path.relpath(part.file, home)).as_posix(),
            "offset": part.offset,
            "shape": part.shape,
            "strides": part.strides,
        }
        for part in tensor.parts
    ]
    return {
        "key": tensor.key,
        "name": tensor.name,
        "component": tensor.component,
        "block": tensor.block,
        "role": tensor.role,
        "dtype": tensor.dtype,
        "shape": tensor.shape,
        "numel": tensor.numel,
        "parts": parts,
    }


def load_compiled() -> None:
    """Load the compiled code, so that small checkpoints are read by it too."""
    from atlas.fingerprints.elements.compiled import CompiledChunks

    chunks = CompiledChunks(CHUNK_ELEMENTS)
    for dtype in FLOATING:
        raw = np.zeros(CHUNK_ELEMENTS * ITEM_BYTES[dtype], np.uint8)
        chunks(
            raw, dtype, set(rounds_to(dtype)) - {dtype}, Moments(), Projection(0), Rounding(dtype)
        )


def _chunks_for(elements: int) -> Chunks:
    """Compile only where that pays: importing numba costs more than a small checkpoint."""
    if elements < WORTH_COMPILING and COMPILED not in sys.modules:
        keep_freed_memory()
        return plain_chunk
    from atlas.fingerprints.elements.compiled import CompiledChunks

    return CompiledChunks(CHUNK_ELEMENTS)


def plain_chunk(
    raw: NDArray[np.uint8],
    dtype: str,
    wanted: Collection[str],
    moments: Moments,
    projection: Projection | None = None,
    rounding: Rounding | None = None,
) -> dict[str, NDArray[Any]]:
    """
    Add a chunk to what is summed up; return its bits once rounded to the wanted dtypes.

    Float64 is rounded by way of float32, as `torch.Tensor.half` does.
    """
    values = decode(raw, dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # some NaN signal that they are cast
        single = values.astype(np.float32, copy=False)
        double = values.astype(np.float64)
    if projection is not None:
        projection.add(double)
    if rounding is not None:
        rounding.add(values)
    moments.add(double)
    return {target: round_to(single, target) for target in wanted}


def _describe(files: OpenFiles, tensor: Tensor, chunks: Chunks) -> tuple[dict[str, Any], Projected]:
    """Stream one tensor: its digests and what is summed up."""
    is_floating = tensor.dtype in FLOATING
    foretold = rounds_to(tensor.dtype) if is_floating else ()
    targets = set(foretold) - {tensor.dtype}
    digests = {dtype: digest_of(dtype, tensor.shape) for dtype in (tensor.dtype, *targets)}
    moments, projection = Moments(), Projection(seed_of(tensor.name))
    rounding = Rounding(tensor.dtype) if is_floating else None
    item = ITEM_BYTES[tensor.dtype]
    buffer = aligned_empty(min(CHUNK_ELEMENTS, tensor.numel) * item)
    for start in range(0, tensor.numel, CHUNK_ELEMENTS):
        raw = buffer[: (min(start + CHUNK_ELEMENTS, tensor.numel) - start) * item]
        read_range(files, tensor, start, raw)
        digests[tensor.dtype].update(raw.data)
        if is_floating:
            summed = (moments, projection, rounding)
            for target, bits in chunks(raw, tensor.dtype, targets, *summed).items():
                digests[target].update(bits.data)
    described: dict[str, Any] = {"digest": digests[tensor.dtype].hexdigest()}
    described |= {f"digest_{dtype}": digests[dtype].hexdigest() for dtype in foretold}
    described |= _summary(moments) if is_floating else {"nonfinite": 0}
    described["rounding"] = rounding.norm if rounding is not None else None
    is_known = is_floating and not moments.nonfinite
    return described, Projected(
        name=tensor.name,
        component=tensor.component,
        block=tensor.block,
        shape=tensor.shape,
        numel=tensor.numel,
        norm=moments.norm if is_known else 0.0,
        sums=projection.sums if is_known else None,
    )


def _summary(moments: Moments) -> dict[str, float | int | None]:
    return {
        "norm": moments.norm,
        "mean": moments.mean if moments.count else None,
        "std": moments.std,
        "kurtosis": moments.kurtosis,
        "nonfinite": moments.nonfinite,
    }
