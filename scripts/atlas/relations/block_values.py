"""How far each block and role of a component moved, of many pairs at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.basis.arrow import numbers
from atlas.names.block_order import in_order
from atlas.names.roles import ROLES
from atlas.relations.groups import ALL, TOTAL, Part

KEYS = ("component", "block", "role")
COUNTS = ("tensors", "compared_tensors", "identical_tensors", "parameters", "compared_parameters")
MEASURE = "relative_l2"
IN_PART = 8
"""Is added to a cell's Cell where not all of its parameters were compared, but some were."""


class Cell(IntEnum):
    """What is known of a part of two models."""

    ABSENT = 0
    """Neither has it: the table has no row."""
    MEASURED = 1
    """Something differs: the value tells how far."""
    IDENTICAL = 2
    """All tensors of both are the same, by digest."""
    IDENTICAL_SO_FAR = 3
    """All that could be compared is the same, but not all could be: the value is 0, of that."""
    NOT_COMPARED = 4
    """One of the two has it, or both, and no tensor could be compared."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """The parts of a component, of many pairs of models."""

    parts: tuple[tuple[str, str], ...]
    """Block and role, '*' for all, as `part_order` puts them."""
    values: NDArray[np.float64]
    """Relative L2, shape (parts, pairs); NaN where not compared, absent, or not defined."""
    status: NDArray[np.uint8]
    """Shape (parts, pairs): a Cell, and IN_PART above it."""

    def row(self, block: str, role: str) -> int:
        """Return the place of a part; raise ValueError where the component has none such."""
        return self.parts.index((block, role))


@dataclass(frozen=True, eq=False)
class Distinct:
    """The same with each column once: pairs whose models have equal weights have equal columns."""

    parts: tuple[tuple[str, str], ...]
    values: NDArray[np.float64]
    """Shape (parts, columns), in the order in which pairs come upon them."""
    status: NDArray[np.uint8]
    """Shape (parts, columns)."""


def read_blocks(
    table: Path,
    models: Sequence[str],
    first: NDArray[np.integer],
    second: NDArray[np.integer],
) -> dict[str, Blocks]:
    """
    Return, by component, how far each block and role of some pairs of a group is apart.

    The table is read a row group at a time, of which nothing is kept but the pairs' cells: 9 bytes
    each. The component `all` is left out. Published matrices tell of no parts: of them there is no
    component here.

    Parameters
    ----------
    table
        The group's tidy table, as compare_group writes it.
    models
        Ids, as the pairs count them.
    first, second
        Each pair's two models, as places in `models`, either one before the other; shape (pairs,).

    Raises
    ------
    ValueError
        A pair is there twice, or of one model alone.
    """
    at = _Places(models, first, second)
    found: dict[str, dict[tuple[str, str], _Row]] = {}
    for (component, block, role), rows in _parts(table):
        row = found.setdefault(component, {}).setdefault((block, role), _Row.empty(len(first)))
        place = at.of(rows)
        wanted = place >= 0
        values, status = _cells(rows)
        row.values[place[wanted]], row.status[place[wanted]] = values[wanted], status[wanted]
    return {component: _blocks(found.pop(component)) for component in sorted(found)}


def distinct(blocks: Blocks) -> tuple[NDArray[np.int32], Distinct]:
    """
    Return each pair's column, shape (pairs,), and the distinct columns, equal bit for bit.

    `distinct.values[:, index]` and `.status[:, index]` are those of `blocks`.
    """
    pairs = blocks.values.shape[1]
    raw = [np.ascontiguousarray(each.T).view(np.uint8) for each in (blocks.values, blocks.status)]
    rows = np.concatenate([each.reshape(pairs, -1) for each in raw], axis=1)
    columns: dict[bytes, int] = {}
    index = np.array([columns.setdefault(row.tobytes(), len(columns)) for row in rows], np.int32)
    _, kept = np.unique(index, return_index=True)
    return index, Distinct(blocks.parts, blocks.values[:, kept], blocks.status[:, kept])


def part_order(parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """
    Return parts (block, role) in the network's order, each block after its roles' total.

    >>> part_order([("OUT00", "norm"), ("*", "norm"), ("IN01", "*"), ("*", "*"), ("IN01", "norm")])
    [('*', '*'), ('*', 'norm'), ('IN01', '*'), ('IN01', 'norm'), ('OUT00', 'norm')]
    """
    blocks = in_order({block for block, _ in parts if block != TOTAL})
    rank = {block: place for place, block in enumerate([TOTAL, *blocks])}
    roles = {role: place for place, role in enumerate([TOTAL, *ROLES])}
    return sorted(parts, key=lambda one: (rank[one[0]], roles.get(one[1], len(roles)), one[1]))


@dataclass(frozen=True, eq=False)
class _Row:
    """One part of all pairs: shape (pairs,)."""

    values: NDArray[np.float64]
    status: NDArray[np.uint8]

    @classmethod
    def empty(cls, pairs: int) -> _Row:
        return cls(np.full(pairs, np.nan), np.full(pairs, Cell.ABSENT, np.uint8))


class _Places:
    """Finds the pairs that rows of the table are of."""

    def __init__(
        self,
        models: Sequence[str],
        first: NDArray[np.integer],
        second: NDArray[np.integer],
    ) -> None:
        self.model = {model: place for place, model in enumerate(models)}
        self.other = len(models)
        self.pair = np.full((self.other + 1, self.other + 1), -1, np.int32)
        self.pair[first, second] = self.pair[second, first] = np.arange(len(first))
        if np.count_nonzero(self.pair >= 0) != 2 * len(first):
            raise ValueError("a pair is there twice, or of one model alone")

    def of(self, rows: pa.Table) -> NDArray[np.int32]:
        """Return the place of each row's pair, -1 where it is none of them; shape (rows,)."""
        ends = []
        for side in ("a", "b"):
            column = rows[side].combine_chunks()
            own = [self.model.get(model, self.other) for model in column.dictionary.to_pylist()]
            ends.append(np.array(own, np.int32)[numbers(column.indices)])
        return np.asarray(self.pair[ends[0], ends[1]])


def _parts(table: Path) -> Iterator[tuple[Part, pa.Table]]:
    """Yield the table's rows by part, in its order, but for the component of all."""
    named = ["a", "b", *KEYS]
    with pq.ParquetFile(table, read_dictionary=named) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=[*named, *COUNTS, MEASURE], use_threads=False)
            for part, own in _split(rows.combine_chunks()):
                if part[0] != ALL and not own["tensors"].null_count:
                    yield part, own


def _split(rows: pa.Table) -> Iterator[tuple[Part, pa.Table]]:
    """Cut a row group where its part changes: as compare_group writes it, nowhere."""
    columns = [rows[key].combine_chunks() for key in KEYS]
    codes = np.stack([numbers(column.indices) for column in columns])
    changes = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist()] if codes.shape[1] else []
    words = [column.dictionary.to_pylist() for column in columns]
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=False):
        component, block, role = (own[code[start]] for own, code in zip(words, codes, strict=True))
        yield (component, block, role), rows.slice(start, stop - start)


def _cells(rows: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return each row's value and status."""
    count: Mapping[str, NDArray[np.int64]] = {
        name: numbers(rows[name].combine_chunks()) for name in COUNTS
    }
    compared, identical = count["compared_tensors"], count["identical_tensors"]
    status = np.select(
        [compared == 0, identical == count["tensors"], identical == compared],
        [Cell.NOT_COMPARED, Cell.IDENTICAL, Cell.IDENTICAL_SO_FAR],
        Cell.MEASURED,
    ).astype(np.uint8)
    partly = (count["compared_parameters"] < count["parameters"]) & (compared > 0)
    values = rows[MEASURE].combine_chunks().to_numpy(zero_copy_only=False)
    values = np.where(np.isnan(values), np.nan, values)  # of one bit pattern
    return values, status + np.uint8(IN_PART) * partly


def _blocks(parts: Mapping[tuple[str, str], _Row]) -> Blocks:
    order = part_order(list(parts))
    values = np.stack([parts[part].values for part in order])
    return Blocks(tuple(order), values, np.stack([parts[part].status for part in order]))
