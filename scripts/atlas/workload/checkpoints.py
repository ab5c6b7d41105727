"""What is known of checkpoints without reading a weight: bytes, tensors, elements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median_low

from atlas.distances import resources

LENGTH_BYTES = 8
"""Of a safetensors file's first field, which has the length of its header."""
LARGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors format itself."""
ASSUMED_BYTES = 2
"""Of an element where no header tells: most checkpoints are float16 or bfloat16."""


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint's size."""

    size_mb: float
    """MB (10^6 bytes) of its files."""
    tensors: int
    elements: int


def measured(files: Iterable[Path]) -> Checkpoint:
    """
    Return the size of a checkpoint's files; those that are not there yet count nothing.

    Tensors and elements are those that the headers list. Of other formats than safetensors, and of
    headers that can't be read, they are what `resources` takes as the most, and an element has two
    bytes.
    """
    size, tensors, elements, is_listed = 0, 0, 0, True
    for file in files:
        if not file.is_file():
            continue
        size += file.stat().st_size
        if file.suffix == ".json":
            continue
        if listed := _listed(file):
            tensors, elements = tensors + listed[0], elements + listed[1]
        else:
            is_listed = False
    return Checkpoint(size / 1e6, tensors, elements) if is_listed else assumed(size / 1e6)


def assumed(size_mb: float) -> Checkpoint:
    """Return what a checkpoint of this size is taken to hold where nothing lists its tensors."""
    return Checkpoint(size_mb, resources.TENSORS, int(size_mb * 1e6) // ASSUMED_BYTES)


def typical(checkpoints: Sequence[Checkpoint]) -> Checkpoint:
    """Return the one of median size, the lower of two."""
    middle = median_low([each.size_mb for each in checkpoints])
    return next(each for each in checkpoints if each.size_mb == middle)


def _listed(file: Path) -> tuple[int, int] | None:
    """Return the tensors and elements that a safetensors header lists, or None where it is none."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if not 2 <= length <= LARGEST_HEADER:
            return None
        text = stream.read(length)
    try:
        header = json.loads(text)
        rows = [row["shape"] for key, row in header.items() if key != "__metadata__"]
        return len(rows), sum(map(prod, rows))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # its own job tells what is wrong with it


def from_plain(values: Mapping[str, Sequence[str]]) -> dict[str, Checkpoint]:
    """Return the sizes of checkpoints, by id, from the paths of their files."""
    return {model: measured(map(Path, files)) for model, files in values.items()}
