"""The tensors in which two models differ most, and how all of theirs are spread: of many pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.distances.shards import NameRows
from atlas.measures import PLACE, derive
from atlas.relations.contents import Contents, Status, compared
from atlas.relations.lookup import Lookup, unmeasured

WORD = pa.dictionary(pa.int32(), pa.string())
MEASURE = "relative_l2"
L2 = PLACE["l2"]

TENSORS = pa.schema(
    {
        "a": WORD,
        "b": WORD,
        "rank": pa.int32(),
        **dict.fromkeys(("name", "component", "block", "role"), WORD),
        "l2": pa.float64(),
        MEASURE: pa.float64(),
    }
)

EDGES = 10.0 ** (np.arange(-16, 3) / 2)
"""Edges of the bins of relative L2: half decades from 1e-8 to 10."""
BINS = len(EDGES) - 1
"""A bin has its lower edge; the lowest has what is smaller too, the highest what is larger."""
BESIDE = ("identical", "equal", "undefined", "not_compared")
"""
Tensors that are in no bin.

The same by digest; the same numbers stored in two types; of which one has the norm 0; and those
that were not compared.
"""
IDENTICAL, EQUAL, UNDEFINED, NOT_COMPARED, ABSENT = range(BINS, BINS + len(BESIDE) + 1)

SPREAD = pa.schema(
    {
        **dict.fromkeys(("a", "b", "component"), WORD),
        **dict.fromkeys(("tensors", *BESIDE), pa.int32()),
        "bins": pa.list_(pa.int32()),
    }
)


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Return one of both tables, TENSORS or SPREAD, as it was written: words by dictionary."""
    words = [field.name for field in schema if field.type == WORD]
    with pq.ParquetFile(path, read_dictionary=words) as file:
        return file.read()


@dataclass(frozen=True, eq=False)
class Ranked:
    """What was found of pairs of a group's models."""

    contents: Contents
    first: NDArray[np.int32]
    """Each pair's models as places in the group, first < second and sorted; shape (pairs,)."""
    second: NDArray[np.int32]
    top: Top
    slots: dict[str, NDArray[np.int32]]
    """Component to the number of tensors in each bin and beside them: (pairs, ABSENT + 1)."""

    def tensors(self) -> pa.Table:
        """Return the tensors that differ most, in order of pair and rank: see TENSORS."""
        pair, slot = np.nonzero(self.top.value)
        row = self.top.row[pair, slot]
        columns: dict[str, object] = {
            **self._ends(pair),
            "rank": (slot + 1).astype(np.int32),
            **{
                name: _words(self.contents.tensors[name].to_list(), row)
                for name in ("name", "component", "block", "role")
            },
            "l2": self.top.l2[pair, slot],
            MEASURE: self.top.value[pair, slot],
        }
        return pa.table(columns, schema=TENSORS)

    def spread(self) -> pa.Table:
        """Return how the tensors of each pair and component are spread: see SPREAD."""
        names = sorted(self.slots)
        shape = (len(self.first), len(names), ABSENT + 1)
        slots = np.stack([self.slots[name] for name in names], axis=1) if names else np.zeros(shape)
        counts = slots[..., :ABSENT].astype(np.int32)
        tensors = counts.sum(axis=-1, dtype=np.int32)
        pair, component = np.nonzero(tensors)
        counts = counts[pair, component]
        starts = np.arange(len(pair) + 1, dtype=np.int32) * np.int32(BINS)
        columns: dict[str, object] = {
            **self._ends(pair),
            "component": _words(names, component),
            "tensors": tensors[pair, component],
            **{name: counts[:, BINS + place] for place, name in enumerate(BESIDE)},
            "bins": pa.ListArray.from_arrays(starts, counts[:, :BINS].ravel()),
        }
        return pa.table(columns, schema=SPREAD)

    def _ends(self, pair: NDArray[np.intp]) -> dict[str, object]:
        models = pa.array(self.contents.models, pa.string())
        return {
            side: pa.DictionaryArray.from_arrays(places[pair], models)
            for side, places in (("a", self.first), ("b", self.second))
        }


class Top:
    """The largest values of each pair with their tensors, sorted; of equal ones, lower rows."""

    def __init__(self, pairs: int, most: int) -> None:
        self.value = np.zeros((pairs, most))
        """Shape (pairs, most), descending; 0 where there are no more."""
        self.l2 = np.zeros((pairs, most))
        self.row = np.full((pairs, most), -1, np.int32)

    def add(self, row: int, value: NDArray[np.float64], l2: NDArray[np.float64]) -> None:
        """Take in a tensor's values, shape (pairs,): those above 0, in any order of rows."""
        last, at = self.value[:, -1], self.row[:, -1]
        pairs = np.flatnonzero((value > last) | ((value == last) & (value > 0) & (row < at)))
        value, l2 = value[pairs], l2[pairs]
        held, rows = self.value[pairs], self.row[pairs]
        ahead = (held > value[:, None]) | ((held == value[:, None]) & (rows < row))
        place = np.count_nonzero(ahead, axis=1)
        slots = np.arange(held.shape[1])
        moved = slots - (slots > place[:, None])
        for whole, own in ((self.value, value), (self.l2, l2), (self.row, row)):
            kept = np.take_along_axis(whole[pairs], moved, axis=1)
            kept[np.arange(len(pairs)), place] = own
            whole[pairs] = kept


def rank(
    contents: Contents,
    shards: Iterable[NameRows],
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    *,
    most: int,
) -> Ranked:
    """
    Return the tensors of each pair with the largest relative L2, and the spread of all of them.

    Shards are read once, a name at a time. What is held grows with pairs × `most`, and with pairs ×
    components; of the name at hand there is a square of its contents. Of tensors as far apart as
    each other, the one whose name sorts first comes first.

    Parameters
    ----------
    contents
        The group's models side by side.
    shards
        The measured distances; of others' names nothing is taken.
    first, second
        Each pair's models as places in the group, first < second and sorted; shape (pairs,).
    most
        How many tensors to keep of each pair.

    Raises
    ------
    AtlasError
        A pair of contents that should have been measured is in no shard.
    """
    ranking = _Ranking(contents, first, second, most)
    row_of = {name: row for row, name in enumerate(contents.tensors["name"])}
    seen = np.zeros(len(row_of), dtype=bool)
    for rows in shards:
        row = row_of.get(rows.name)
        if row is not None and not seen[row]:
            seen[row] = True
            ranking.add(row, rows)
    for row in np.flatnonzero(~seen).tolist():
        ranking.add(row, None)
    return ranking.found


class _Ranking:
    """Takes in one tensor after another."""

    def __init__(
        self, contents: Contents, first: NDArray[np.int32], second: NDArray[np.int32], most: int
    ) -> None:
        self.found = Ranked(contents, first, second, Top(len(first), most), {})
        self.contents = contents
        self.norm = contents.contents["norm"].to_numpy(np.float64)
        self.component = contents.tensors["component"].to_list()
        self.lookup = Lookup(contents)
        self.every = np.arange(len(first))

    def add(self, row: int, rows: NameRows | None) -> None:
        """Take in a tensor, of all pairs; None where none of its contents were measured."""
        held, local = np.unique(self.contents.index[row], return_inverse=True)
        pair = (local[self.found.first], local[self.found.second])
        l2 = np.full((len(held), len(held)), np.nan)
        if rows is not None:
            l2 = self.lookup.squares(held, rows, rows.measures[L2 : L2 + 1])[0]
        if len(held) ** 2 < len(self.every):
            # What few contents are to each other is told once, not once per pair.
            status, l2, relative = self._told(held[:, None], held[None, :], l2)
            status, l2, relative = status[pair], l2[pair], relative[pair]
        else:
            status, l2, relative = self._told(held[pair[0]], held[pair[1]], l2[pair])
        if np.isnan(l2[compared(status)]).any():
            raise unmeasured(self.contents.tensors["name"][row])
        slot = _slots(status, relative)
        component = self.component[row]
        if component not in self.found.slots:
            self.found.slots[component] = np.zeros((len(self.every), ABSENT + 1), np.int32)
        self.found.slots[component][self.every, slot] += 1
        self.found.top.add(row, np.where(slot < BINS, relative, 0.0), l2)

    def _told(
        self, a: NDArray[np.int32], b: NDArray[np.int32], l2: NDArray[np.float64]
    ) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
        """Return the status of contents, their L2 and relative L2: NaN where not compared."""
        status = self.contents.status(a, b)
        l2 = np.where(status == Status.IDENTICAL, 0.0, l2)
        norm_a, norm_b = (self.norm[np.maximum(side, 0)] for side in (a, b))
        counted = compared(status).astype(np.int64)  # of the parameters, the formula needs no more
        derived = derive(
            {"l2": l2}, norm_a=norm_a, norm_b=norm_b, parameters=counted, only={MEASURE}
        )
        return status, l2, derived[MEASURE]


def _slots(status: NDArray[np.int8], relative: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return where a tensor is counted: its bin, or its place beside the bins."""
    place = np.searchsorted(EDGES, relative, side="right") - 1
    return np.select(
        [
            status == Status.ABSENT,
            status == Status.IDENTICAL,
            ~compared(status),
            np.isnan(relative),
            relative == 0,
        ],
        [ABSENT, IDENTICAL, NOT_COMPARED, UNDEFINED, EQUAL],
        np.clip(place, 0, BINS - 1),
    )


def _words(words: Sequence[str], places: NDArray[np.integer]) -> pa.DictionaryArray:
    """Return words by their places; each word once, in order of its first place here."""
    labels = list(dict.fromkeys(words))
    code = {label: at for at, label in enumerate(labels)}
    codes = np.array([code[word] for word in words], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(codes[places], pa.array(labels, pa.string()))
