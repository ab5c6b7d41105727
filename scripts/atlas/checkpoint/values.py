"""The few small tensors of which it is the values that tell what they are."""

import re
from collections.abc import Iterable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.tensors.entries import Entry
from atlas.tensors.tensors import FLOATING, ITEM_BYTES

POSITIONS = re.compile(r"(^|\.)position_ids$")
PROJECTION = re.compile(r"(^|\.)text_projection(\.weight)?$")

MOST_ELEMENTS = 1 << 22
"""A larger tensor is not read here: no text encoder's projection is."""

NUMPY: dict[str, Any] = {
    "f64": np.float64,
    "f32": np.float32,
    "f16": np.float16,
    **{f"{kind}{8 * size}": np.dtype(f"<{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)},
}
"""numpy's dtypes by the atlas's names; bfloat16 is widened, float8 is read as bytes."""

ONE = {"f8_e4m3fn": 0x38, "f8_e5m2": 0x3C}
"""Byte of the number 1 in 8 bits."""


def aside(entries: Iterable[Entry]) -> tuple[list[Entry], list[str]]:
    """
    Mark what is no weight by its values, and say what is broken.

    ComfyUI writes an identity where a text encoder has no projection: it is none. The positions of
    a text are counted from 0; where a merge or a conversion went over them they are not.
    """
    marked, findings = [], []
    for entry in entries:
        if POSITIONS.search(entry.key):
            findings += _about_positions(entry)
        elif PROJECTION.search(entry.key) and _is_identity(entry):
            marked.append(replace(entry, is_aside=True))
            findings.append(
                f"{entry.key} is the identity, as ComfyUI writes it for a text encoder that has "
                "no projection: put aside"
            )
            continue
        marked.append(entry)
    return marked, findings


def _about_positions(entry: Entry) -> list[str]:
    found = []
    if entry.dtype in FLOATING:
        found.append(f"{entry.key} is stored as {entry.dtype}, though it holds indices")
    values = _values(entry)
    if values is not None and not (values.ravel() == np.arange(values.size)).all():
        wrong = int((values.ravel() != np.arange(values.size)).sum())
        found.append(
            f"{entry.key} is broken: {wrong} of {values.size} positions are not counted from 0 "
            "on, as a merge of models that took them for weights leaves them; texts are misread"
        )
    return found


def _is_identity(entry: Entry) -> bool:
    shape = entry.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2 or entry.dtype not in FLOATING:
        return False
    one = ONE.get(entry.dtype)
    values = _values(entry if one is None else _as_bytes(entry))
    if values is not None and one is not None:
        return bool((values == one * np.eye(shape[0], dtype=np.uint8)).all())
    return values is not None and bool((values == np.eye(shape[0], dtype=values.dtype)).all())


def _as_bytes(entry: Entry) -> Entry:
    return replace(entry, dtype="u8")


def _values(entry: Entry) -> NDArray[Any] | None:
    """Return the elements; None where they are too many, strided, or not all there."""
    count, part = prod(entry.shape), entry.part
    known = entry.dtype in NUMPY or entry.dtype == "bf16"
    if not 0 < count <= MOST_ELEMENTS or part.strides is not None or not known:
        return None
    size = count * ITEM_BYTES[entry.dtype]
    with part.file.open("rb") as stream:
        stream.seek(part.offset)
        raw = stream.read(size)
    if len(raw) != size:
        return None
    if entry.dtype == "bf16":
        wide = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(entry.shape)
    return np.frombuffer(raw, NUMPY[entry.dtype]).reshape(entry.shape)
