"""Distances between all models of a group: per block and role, with totals and coverage."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from atlas.distances.shards import NameRows
from atlas.measures import DERIVED, MAXIMA, MEASURED, derive, of_equal, rooted, squared
from atlas.names.components import EMA
from atlas.relations.contents import Contents, Status, compared
from atlas.relations.lookup import Lookup, unmeasured

TOTAL = "*"
"""Block and role of rows that stand for all blocks or roles."""
ALL = "all"
"""The component of rows that stand for all components but the training copies."""

Part = tuple[str, str, str]
"""Component, block and role; TOTAL for all blocks or roles, ALL for all components."""

COUNTS = ("tensors", "parameters", "compared_tensors", "compared_parameters")
STATUSES = tuple(status for status in Status if status is not Status.ABSENT)

SCHEMA = pa.schema(
    [(name, pa.dictionary(pa.int32(), pa.string())) for name in ("a", "b")]
    + [(name, pa.string()) for name in ("component", "block", "role")]
    + [(name, pa.int64()) for name in COUNTS]
    + [(f"{status.label}_tensors", pa.int64()) for status in STATUSES]
    + [(each.name, pa.float64()) for each in (*MEASURED, *DERIVED)]
)


@dataclass
class Sums:
    """
    What adds up over the tensors of a part, for every pair of models.

    `counts` is int64 (counts + statuses, pairs); `sums` float64 (measures, pairs), as in MEASURED,
    with squares of roots; `squares` float64 (2, pairs): squared norms of both sides over the
    tensors that were compared.
    """

    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]

    @classmethod
    def zero(cls, pairs: int) -> Sums:
        """Return the sums over no tensors."""
        return cls(
            np.zeros((len(COUNTS) + len(STATUSES), pairs), dtype=np.int64),
            np.zeros((len(MEASURED), pairs)),
            np.zeros((2, pairs)),
        )

    def __iadd__(self, other: Sums) -> Sums:
        self.counts += other.counts
        self.add_measured(other.sums)
        self.squares += other.squares
        return self

    def add_measured(self, sums: npt.NDArray[np.float64]) -> None:
        """Add what adds up of the measures (measures, pairs), or take the larger."""
        for place, values in enumerate(sums):
            combine = np.maximum if place in MAXIMA else np.add
            combine(self.sums[place], values, out=self.sums[place])

    def __getitem__(self, pairs: slice) -> Sums:
        """Return the sums of some of the pairs: views, no copies."""
        return Sums(self.counts[:, pairs], self.sums[:, pairs], self.squares[:, pairs])


class GroupDistances:
    """Adds up a group's tensors, whatever order the measured distances come in."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.first, self.second = np.triu_indices(len(contents.models), k=1)
        self.norm = contents.contents["norm"].to_numpy(np.float64)
        self._lookup = Lookup(contents)
        tensors = contents.tensors
        self._row = {name: row for row, name in enumerate(tensors["name"])}
        self._part = list(zip(tensors["component"], tensors["block"], tensors["role"], strict=True))

    @property
    def own(self) -> Container[str]:
        """The names that any of the group's models has."""
        return self._row.keys()

    def names(self, measured: Iterable[str]) -> dict[Part, list[str]]:
        """
        Return each part's names, in the order in which `parts` comes upon them.

        Parameters
        ----------
        measured
            The names in the shards' order; the group's others follow.
        """
        found: dict[Part, list[str]] = {}
        for name in dict.fromkeys([*(name for name in measured if name in self._row), *self._row]):
            found.setdefault(self._part[self._row[name]], []).append(name)
        return found

    def parts(
        self, shards: Iterable[NameRows], wanted: Container[Part] | None = None
    ) -> dict[Part, Sums]:
        """
        Return the sums per (component, block, role), of all or of those that are wanted.

        Raises
        ------
        AtlasError
            A pair of contents that should have been measured is in no shard.
        """
        found: dict[Part, Sums] = {}
        seen = np.zeros(len(self._part), dtype=bool)
        if wanted is not None:
            seen[:] = [part not in wanted for part in self._part]
        for rows in shards:
            row = self._row.get(rows.name)
            if row is not None and not seen[row]:
                seen[row] = True
                self._add(found, row, rows)
        for unseen in np.flatnonzero(~seen).tolist():
            self._add(found, unseen, None)
        return found

    def _add(self, found: dict[Part, Sums], row: int, rows: NameRows | None) -> None:
        """Add one tensor to its part, for all pairs of models."""
        held, local = np.unique(self.contents.index[row], return_inverse=True)
        a, b = held[:, None], held[None, :]
        status = self.contents.status(a, b)
        measured = self._measured(row, held, status, rows)
        squares = np.where(held >= 0, self.norm[np.maximum(held, 0)], 0.0) ** 2
        pair = (local[self.first], local[self.second])
        status, numel = status[pair], self.contents.numel(a, b)[pair]
        counted = compared(status)
        present = status != Status.ABSENT
        sums = found.setdefault(self._part[row], Sums.zero(len(self.first)))
        counts = [present, present * numel, counted, counted * numel]
        counts += [status == each for each in STATUSES]
        for total, count in zip(sums.counts, counts, strict=True):
            total += count
        sums.add_measured(measured[:, pair[0], pair[1]])
        for total, side in zip(sums.squares, pair, strict=True):
            total += squares[side] * counted

    def _measured(
        self,
        row: int,
        held: npt.NDArray[np.int32],
        status: npt.NDArray[np.int8],
        rows: NameRows | None,
    ) -> npt.NDArray[np.float64]:
        """Return what adds up of all contents of a name: (measures, K, K), as in MEASURED."""
        if rows is None:
            table = np.full((len(MEASURED), len(held), len(held)), np.nan)
        else:
            table = self._lookup.squares(held, rows, squared(rows.measures))
        same = status == Status.IDENTICAL
        norm = np.broadcast_to(self.norm[np.maximum(held, 0)][:, None], status.shape)
        table[:, same] = squared(of_equal(norm[same]))
        needed = compared(status)
        if np.isnan(table[:, needed]).any():
            raise unmeasured(self.contents.tensors["name"][row])
        table[:, ~needed] = 0.0
        return table


def wholes(parts: Collection[Part]) -> dict[Part, list[Part]]:
    """
    Return, of each part, what it adds to beside itself.

    That is the totals over roles, over blocks, over both, and over components.
    """
    weighed = {component for component, _, _ in parts} - {EMA}
    found = {}
    for component, block, role in parts:
        keys = {
            (component, block, TOTAL),
            (component, TOTAL, role),
            (component, TOTAL, TOTAL),
        }
        if len(weighed) > 1 and component in weighed:
            keys.add((ALL, TOTAL, TOTAL))
        found[component, block, role] = sorted(keys)
    return found


def totals(parts: Mapping[Part, Sums]) -> dict[Part, Sums]:
    """Return what the parts amount to; sums are taken in the order of the parts."""
    found: dict[Part, Sums] = {}
    for part, keys in wholes(parts).items():
        for key in keys:
            if key not in found:
                found[key] = Sums.zero(parts[part].sums.shape[1])
            found[key] += parts[part]
    return found


def tables(models: Sequence[str], parts: Mapping[Part, Sums]) -> Iterator[pa.Table]:
    """Yield the tidy table part by part, of the pairs (a < b) where either model has the part."""
    every = {**parts, **totals(parts)}
    first, second = np.triu_indices(len(models), k=1)
    names = pa.array(models, pa.string())
    for part in sorted(every):
        yield table(names, first, second, part, every[part])


def table(
    models: pa.Array,
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    part: Part,
    sums: Sums,
) -> pa.Table:
    """Return the tidy table of a part, of those of some pairs where either model has it."""
    present = sums.counts[0] > 0
    columns: dict[str, object] = {
        "a": pa.DictionaryArray.from_arrays(pa.array(first[present], pa.int32()), models),
        "b": pa.DictionaryArray.from_arrays(pa.array(second[present], pa.int32()), models),
    }
    rows = int(present.sum())
    for key, value in zip(("component", "block", "role"), part, strict=True):
        columns[key] = pa.repeat(pa.scalar(value, pa.string()), rows)
    columns |= _numbers(sums, present)
    return pa.table(columns, schema=SCHEMA)


def _numbers(part: Sums, present: npt.NDArray[np.bool_]) -> dict[str, object]:
    counts = dict(
        zip(
            (*COUNTS, *(f"{status.label}_tensors" for status in STATUSES)),
            part.counts[:, present],
            strict=True,
        )
    )
    measured = rooted(part.sums[:, present])
    sums = {each.name: row for each, row in zip(MEASURED, measured, strict=True)}
    norm_a, norm_b = np.sqrt(part.squares[:, present])
    parameters = counts["compared_parameters"]
    sums |= derive(sums, norm_a=norm_a, norm_b=norm_b, parameters=parameters)
    unknown = parameters == 0
    return counts | {
        name: pa.array(values, pa.float64(), mask=unknown | np.isnan(values))
        for name, values in sums.items()
    }


def nothing_to_compare(models: int) -> str:
    """Return the sentence that stands in place of results where no two models can be compared."""
    if models == 1:
        return "Nothing to compare: the group has one model."
    return (
        f"Nothing to compare: no two of the {models} models hold weights that can be compared. "
        "results/models.md tells what each holds."
    )


def total_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a tidy table's rows for whole components."""
    return frame[(frame["block"] == TOTAL) & (frame["role"] == TOTAL)]
