"""Read a safetensors file's header, trusting nothing that it says."""

import json
from math import prod
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.tensors.entries import (
    Entry,
    Listing,
    are_counts,
    fault_of_key,
    is_count,
    item_bytes,
)
from atlas.tensors.tensors import Part

LENGTH_BYTES = 8
LARGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors format itself."""

DTYPES = {
    "F64": "f64",
    "F32": "f32",
    "F16": "f16",
    "BF16": "bf16",
    "F8_E4M3": "f8_e4m3fn",
    "F8_E5M2": "f8_e5m2",
    "I64": "i64",
    "I32": "i32",
    "I16": "i16",
    "I8": "i8",
    "U64": "u64",
    "U32": "u32",
    "U16": "u16",
    "U8": "u8",
    "BOOL": "bool",
    "C64": "c64",
}
"""The format's dtype names that the atlas reads, by the atlas's names."""

AGAIN = "download or save the file again"


def read_header(file: Path) -> Listing:
    """
    Return the tensors that a safetensors file lists, without reading one of them.

    Raises
    ------
    AtlasError
        Where the header is not whole and sound: every byte after it must belong to exactly one
        tensor, as the format demands.
    """
    size = file.stat().st_size
    header, start = _header_json(file, size)
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise AtlasError(f"{file}: its __metadata__ is no table of texts; {AGAIN}")
    entries = [_entry(file, key, row, start) for key, row in header.items()]
    _check_cover(file, entries, start, size)
    return Listing(tuple(entries), {k: v for k, v in metadata.items() if isinstance(v, str)})


def looks_like(head: bytes) -> bool:
    """Tell from a file's first nine bytes whether it is a safetensors file."""
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    return head[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{" and 2 <= length <= LARGEST_HEADER


def _header_json(file: Path, size: int) -> tuple[dict[str, Any], int]:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > LARGEST_HEADER or LENGTH_BYTES + length > size:
            raise AtlasError(
                f"{file}: {size} bytes cannot hold a safetensors header of {length} bytes "
                f"(cut off, or no safetensors file); {AGAIN}"
            )
        text = stream.read(length)
    try:
        header = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise AtlasError(f"{file}: its safetensors header is no JSON ({error}); {AGAIN}") from None
    if not isinstance(header, dict):
        raise AtlasError(f"{file}: its safetensors header is no table of tensors; {AGAIN}")
    return header, LENGTH_BYTES + length


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands twice")
    return table


def _entry(file: Path, key: str, row: Any, start: int) -> Entry:
    if fault := fault_of_key(key):
        raise AtlasError(f"{file}: {fault}: no weights are named so; {AGAIN}")
    try:
        dtype, shape, (begin, end) = row["dtype"], row["shape"], row["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise AtlasError(f"{file}: no dtype, shape and data_offsets for {key!r}; {AGAIN}") from None
    if not isinstance(dtype, str):
        raise AtlasError(f"{file}: the dtype of {key!r} is no text; {AGAIN}")
    if dtype not in DTYPES:
        raise AtlasError(
            f"{file}: {key!r} is stored as {dtype[:40]}, which the atlas does not read "
            f"(it reads {', '.join(DTYPES)}); use the model's file before quantisation"
        )
    if not are_counts(shape) or not is_count(begin) or not is_count(end):
        raise AtlasError(
            f"{file}: shape or offsets of {key!r} are no counts, or of too many dimensions; {AGAIN}"
        )
    shape = tuple(shape)
    expected = prod(shape) * item_bytes(DTYPES[dtype])
    if end - begin != expected:
        raise AtlasError(
            f"{file}: {key!r} ({dtype} {list(shape)}) needs {expected} bytes, "
            f"its offsets span {end - begin}; {AGAIN}"
        )
    return Entry(key, DTYPES[dtype], Part(file, start + begin, shape))


def _check_cover(file: Path, entries: list[Entry], start: int, size: int) -> None:
    position = start
    # an empty tensor shares its offset with the next one: it must come first
    for entry in sorted(entries, key=lambda entry: (entry.part.offset, prod(entry.shape))):
        if entry.part.offset != position:
            fault = (
                "overlaps the tensor before it" if entry.part.offset < position else "leaves a gap"
            )
            raise AtlasError(f"{file}: {entry.key!r} {fault}; {AGAIN}")
        position += prod(entry.shape) * item_bytes(entry.dtype)
    if position != size:
        fault = "cut off" if position > size else "longer than its header says"
        raise AtlasError(f"{file}: {fault} ({size} bytes, {position} by its header); {AGAIN}")
