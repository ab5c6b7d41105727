"""Squared distances of a group's models by component and block, from the group's tidy table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.basis.arrow import numbers
from atlas.names.block_order import in_order
from atlas.relations.groups import ALL, TOTAL

KEYS = ("component", "block", "role")
VALUES = ("l2", "compared_parameters")


@dataclass(frozen=True, eq=False)
class BlockSquares:
    """What is known of a component's blocks."""

    component: str
    blocks: tuple[str, ...]
    """In the network's order; TOTAL alone where nothing is known of blocks."""
    squares: NDArray[np.float64]
    """Squared L2, (blocks, models, models); NaN where nothing was compared."""
    compared: NDArray[np.int32]
    """Parameters that it was taken over, of the same shape; 0 where that is not known."""


def read_squares(table: Path, models: Sequence[str]) -> Iterator[BlockSquares]:
    """
    Yield the components of a group, one after another as the table has them: it is sorted by them.

    Parameters
    ----------
    table
        The tidy table, as compare_group or import_matrices writes it.
    models
        Ids, as squares count them.
    """
    place = {model: at for at, model in enumerate(models)}
    component = ""
    held: dict[str, _Rows] = {}
    for name, block, rows in _parts(table):
        if name != component and held:
            yield _laid(component, held, len(models))
            held = {}
        component = name
        ends = []
        for side in ("a", "b"):
            column = rows[side].combine_chunks()
            own = np.array([place[each] for each in column.dictionary.to_pylist()], np.int32)
            ends.append(own[numbers(column.indices)])
        held[block] = (
            ends[0],
            ends[1],
            rows["l2"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64),
            np.nan_to_num(
                rows["compared_parameters"].combine_chunks().to_numpy(zero_copy_only=False)
            ),
        )
    if held:
        yield _laid(component, held, len(models))


_Rows = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]


def _laid(component: str, held: dict[str, _Rows], models: int) -> BlockSquares:
    blocks = in_order(block for block in held if block != TOTAL) or [TOTAL]
    squares = np.full((len(blocks), models, models), np.nan)
    compared = np.zeros(squares.shape, np.int32)
    for at, block in enumerate(blocks):
        first, second, l2, count = held[block]
        squares[at, first, second] = squares[at, second, first] = l2 * l2
        compared[at, first, second] = compared[at, second, first] = count
    own = np.arange(models)
    squares[:, own, own] = 0
    return BlockSquares(component, tuple(blocks), squares, compared)


def _parts(table: Path) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield component, block and rows of the totals over roles."""
    named = ["a", "b", *KEYS]
    with pq.ParquetFile(table, read_dictionary=named) as file:
        for group in range(file.num_row_groups):
            keys = file.read_row_group(group, columns=list(KEYS)).combine_chunks()
            columns = [keys[key].combine_chunks() for key in KEYS]
            words = [column.dictionary.to_pylist() for column in columns]
            if TOTAL not in words[2]:
                continue
            codes = np.stack([numbers(column.indices) for column in columns])
            rows = file.read_row_group(group, columns=["a", "b", *VALUES]).combine_chunks()
            changes = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
            starts = [0, *(np.flatnonzero(changes) + 1).tolist()] if codes.shape[1] else []
            for start, stop in zip(starts, [*starts[1:], len(rows)], strict=False):
                component, block, role = (
                    own[code[start]] for own, code in zip(words, codes, strict=True)
                )
                if role == TOTAL and component != ALL:
                    yield component, block, rows.slice(start, stop - start)
