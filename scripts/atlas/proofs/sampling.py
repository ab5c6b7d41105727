"""Read a few elements of each tensor: what decides which ways are worth a whole reading."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atlas.distances.plan import Content
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.reading import read_range
from atlas.proofs.parts import Tensors
from atlas.proofs.values import Chunk
from atlas.tensors.tensors import ITEM_BYTES

ELEMENTS = 1 << 18
"""Of all tensors of a part. A weight off by 1e-4 leaves 0.7 % of them unequal in float16."""

WINDOW = 256
"""Neighbours that are read at once."""


def sample(files: OpenFiles, tensors: Sequence[Tensors], elements: int = ELEMENTS) -> list[Chunk]:
    """
    Return windows of the tensors, evenly spread, where the parents differ: a chunk for each dtypes.

    Raises
    ------
    AtlasError
        When a file can't be read.
    """
    total = sum(each.target.numel for each in tensors)
    step = max(WINDOW, WINDOW * total / max(elements, 1))
    found: dict[tuple[str, ...], list[list[NDArray[np.uint8]]]] = {}
    at, following = 0, 0.0
    for each in tensors:
        numel = each.target.numel
        dtypes = tuple(content.dtype for content in each.contents)
        while following < at + numel:
            start = int(following) - at
            stop = min(start + WINDOW, numel)
            found.setdefault(dtypes, []).append(
                [_read(files, content, start, stop) for content in each.contents]
            )
            following = max(following + step, at + stop)
        at += numel
    chunks = [
        Chunk(dtypes, [np.concatenate(pieces) for pieces in zip(*windows, strict=True)])
        for dtypes, windows in sorted(found.items())
    ]
    differing = [chunk.where_parents_differ() for chunk in chunks]
    return [chunk for chunk in differing if chunk.size]


def _read(files: OpenFiles, content: Content, start: int, stop: int) -> NDArray[np.uint8]:
    raw = np.empty((stop - start) * ITEM_BYTES[content.dtype], np.uint8)
    read_range(files, content, start, raw)
    return raw
