"""Pairs of models that were chosen to be measured, where all pairs are too many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.basis.arrow import numbers
from atlas.distances.update import Choose


def chosen_pairs(path: Path, models: Sequence[str]) -> NDArray[np.int32]:
    """
    Return pairs of models as numbers of these ids: shape (2, pairs).

    Parameters
    ----------
    path
        As choose_pairs writes it: sealed, with the columns a and b.

    Raises
    ------
    DamagedFileError
        When the table is not as it was written.
    """
    table, _ = sealed.read(path, ["a", "b"])
    place = {model: number for number, model in enumerate(models)}
    sides = []
    for side in ("a", "b"):
        column = table[side].combine_chunks().dictionary_encode()
        number = np.array([place.get(model, -1) for model in column.dictionary.to_pylist()])
        codes = numbers(column.indices) if len(column) else np.zeros(0, np.int32)
        sides.append(number[codes] if len(codes) else codes)
    pairs = np.stack(sides).astype(np.int32)
    return pairs[:, (pairs >= 0).all(axis=0)]


def chooser(contents: pa.Table, pairs: NDArray[np.int32], models: int) -> Choose:
    """
    Return what tells which pairs of contents some chosen pair of models needs.

    Parameters
    ----------
    contents
        A table of contents with its column `models`.
    pairs
        Numbers of models, shape (2, pairs).
    models
        How many there are.
    """
    names = contents["name"].combine_chunks().dictionary_encode()
    codes = numbers(names.indices) if len(names) else np.zeros(0, np.int32)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(starts[1:], codes.size)
    of_name = dict(zip(names.dictionary.to_pylist(), zip(starts, ends, strict=True), strict=True))
    held = contents["models"].combine_chunks()
    bounds = numbers(held.offsets) if len(held) else np.zeros(1, np.int32)
    holders = numbers(held.values) if len(held) else np.zeros(0, np.int32)

    def choose(name: str, digests: Sequence[str]) -> NDArray[np.bool_]:
        start, stop = of_name[name]
        if stop - start != len(digests):
            raise ValueError(f"{name}: {stop - start} contents in the table, {len(digests)} asked")
        # rows of a name are in order of digest, as the digests are
        content = np.full(models, -1, np.int32)
        counts = np.diff(bounds[start : stop + 1])
        content[holders[bounds[start] : bounds[stop]]] = np.repeat(
            np.arange(stop - start, dtype=np.int32), counts
        )
        both = content[pairs]
        both = np.sort(both[:, (both >= 0).all(axis=0)], axis=0)
        wanted = np.zeros((len(digests), len(digests)), bool)
        wanted[both[0], both[1]] = True
        return np.triu(wanted, k=1)

    return choose
