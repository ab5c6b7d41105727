"""Distances between all models of a group: per block and role, with totals and coverage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.measures import DERIVED, MAXIMA, MEASURED, derive, of_equal, rooted, squared
from atlas.names.components import EMA
from atlas.relations.contents import Contents, Status, compared

TOTAL = "*"
"""Block and role of rows that stand for all blocks or roles."""
ALL = "all"
"""The component of rows that stand for all components but the training copies."""

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
        largest = np.maximum(self.sums[MAXIMA], other.sums[MAXIMA])
        self.sums += other.sums
        self.sums[MAXIMA] = largest
        self.squares += other.squares
        return self


class GroupDistances:
    """Adds up a group's tensors, whatever order the measured distances come in."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.first, self.second = np.triu_indices(len(contents.models), k=1)
        self.norm = contents.contents["norm"].to_numpy(np.float64)
        digests = contents.contents["digest"].to_numpy()
        self._digest = digests
        self._row = {name: row for row, name in enumerate(contents.tensors["name"])}

    def parts(self, shards: Iterable[NameRows]) -> dict[tuple[str, str, str], Sums]:
        """
        Return the sums per (component, block, role).

        Raises
        ------
        AtlasError
            A pair of contents that should have been measured is in no shard.
        """
        tensors = self.contents.tensors
        cells = list(zip(tensors["component"], tensors["block"], tensors["role"], strict=True))
        found: dict[tuple[str, str, str], Sums] = {}
        seen = np.zeros(len(cells), dtype=bool)
        for rows in shards:
            row = self._row.get(rows.name)
            if row is not None:
                seen[row] = True
                self._add(found, cells[row], row, rows)
        for unseen in np.flatnonzero(~seen).tolist():
            self._add(found, cells[unseen], unseen, None)
        return found

    def _add(
        self,
        found: dict[tuple[str, str, str], Sums],
        cell: tuple[str, str, str],
        row: int,
        rows: NameRows | None,
    ) -> None:
        if cell not in found:
            found[cell] = Sums.zero(len(self.first))
        found[cell] += self._tensor(row, rows)

    def _tensor(self, row: int, rows: NameRows | None) -> Sums:
        """Return one tensor's part of the sums, for all pairs of models."""
        held, local = np.unique(self.contents.index[row], return_inverse=True)
        a, b = held[:, None], held[None, :]
        status = self.contents.status(a, b)
        measured = self._measured(row, held, status, rows)
        counted = compared(status)
        numel = self.contents.numel(a, b)
        present = status != Status.ABSENT
        counts = [present, present * numel, counted, counted * numel]
        counts += [status == each for each in STATUSES]
        squares = np.where(held >= 0, self.norm[np.maximum(held, 0)], 0.0) ** 2
        pair = (local[self.first], local[self.second])
        return Sums(
            np.stack([count[pair] for count in counts]).astype(np.int64),
            measured[:, pair[0], pair[1]],
            np.stack([squares[side] * counted[pair] for side in pair]),
        )

    def _measured(
        self,
        row: int,
        held: npt.NDArray[np.int32],
        status: npt.NDArray[np.int8],
        rows: NameRows | None,
    ) -> npt.NDArray[np.float64]:
        """Return what adds up of all contents of a name: (measures, K, K), as in MEASURED."""
        table = np.full((len(MEASURED), len(held), len(held)), np.nan)
        if rows is not None:
            place = {self._digest[content]: at for at, content in enumerate(held) if content >= 0}
            at = np.array([place.get(digest, -1) for digest in rows.digests], dtype=np.int64)
            i, j = at[rows.first], at[rows.second]
            known = (i >= 0) & (j >= 0)
            values = squared(rows.measures[:, known].astype(np.float64))
            table[:, i[known], j[known]] = values
            table[:, j[known], i[known]] = values
        same = status == Status.IDENTICAL
        norm = np.broadcast_to(self.norm[np.maximum(held, 0)][:, None], status.shape)
        table[:, same] = squared(of_equal(norm[same]))
        needed = compared(status)
        if np.isnan(table[:, needed]).any():
            name = self.contents.tensors["name"][row]
            raise AtlasError(
                f"{name}: a pair of contents is in no shard below results/distances; "
                "run the target `distances` again"
            )
        table[:, ~needed] = 0.0
        return table


def totals(
    parts: dict[tuple[str, str, str], Sums],
) -> Iterator[tuple[tuple[str, str, str], Sums]]:
    """Yield each part, and the totals over roles, over blocks, over both, and over components."""
    sums: dict[tuple[str, str, str], Sums] = {}
    weighed = {component for component, _, _ in parts} - {EMA}
    for (component, block, role), part in parts.items():
        keys = {
            (component, block, role),
            (component, block, TOTAL),
            (component, TOTAL, role),
            (component, TOTAL, TOTAL),
        }
        if len(weighed) > 1 and component in weighed:
            keys.add((ALL, TOTAL, TOTAL))
        for key in keys:
            if key not in sums:
                sums[key] = Sums.zero(part.sums.shape[1])
            sums[key] += part
    yield from sorted(sums.items(), key=lambda item: item[0])


def tables(models: Sequence[str], parts: dict[tuple[str, str, str], Sums]) -> Iterator[pa.Table]:
    """Yield the tidy table part by part, of the pairs (a < b) where either model has the part."""
    names = pa.array(models, pa.string())
    first, second = np.triu_indices(len(models), k=1)
    for (component, block, role), part in totals(parts):
        present = part.counts[0] > 0
        columns: dict[str, object] = {
            "a": pa.DictionaryArray.from_arrays(pa.array(first[present], pa.int32()), names),
            "b": pa.DictionaryArray.from_arrays(pa.array(second[present], pa.int32()), names),
        }
        rows = int(present.sum())
        for key, value in (("component", component), ("block", block), ("role", role)):
            columns[key] = pa.repeat(pa.scalar(value, pa.string()), rows)
        columns |= _numbers(part, present)
        yield pa.table(columns, schema=SCHEMA)


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
