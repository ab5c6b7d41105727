"""How far each block and role moved: from one model to the others of a group, or within a pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from atlas.names.block_order import in_order
from atlas.names.roles import ROLES
from atlas.relations.groups import ALL, TOTAL

MEASURE = "relative_l2"
COUNTS = (
    "tensors",
    "parameters",
    "compared_tensors",
    "compared_parameters",
    "identical_tensors",
)
COLUMNS = ["a", "b", "component", "block", "role", *COUNTS, MEASURE]


@dataclass(frozen=True, eq=False)
class Grid:
    """Relative L2 of rows by columns, such as models by blocks, and what is known of each cell."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    """Shape (rows, columns): relative L2; NaN where identical, not compared, or nothing there."""
    identical: NDArray[np.bool_]
    """All tensors of the part are the same, by digest."""
    coverage: NDArray[np.float64]
    """Share of the parameters that were compared, 0 to 1; NaN where neither side has the part."""

    @property
    def shared(self) -> NDArray[np.bool_]:
        """Cells of which all that could be compared is identical, and some could not be."""
        return np.asarray(np.isnan(self.values) & ~self.identical & (self.coverage > 0))

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Cells that were not compared, though one of the two sides has the part at least."""
        return np.asarray(self.coverage == 0)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Cells of parts that neither side has."""
        return np.asarray(np.isnan(self.coverage))

    @property
    def partial(self) -> NDArray[np.bool_]:
        """Cells that rest on some of the parameters only."""
        return np.asarray((self.coverage > 0) & (self.coverage < 1))

    def taken(self, rows: Sequence[int]) -> Grid:
        """Return the grid of some of the rows, in their order."""
        at = list(rows)
        return Grid(
            tuple(self.rows[row] for row in at),
            self.columns,
            self.values[at],
            self.identical[at],
            self.coverage[at],
        )


@dataclass(frozen=True, eq=False)
class Moved:
    """How far the models of a group are from one of them, in the parts of a component."""

    reference: str
    blocks: Grid
    """Rows are the other models, in the given order; columns blocks in the network's order."""
    roles: Grid


def from_reference(table: Path, reference: str, models: Sequence[str]) -> dict[str, Moved]:
    """
    Return, by component, how far each part of each model is from the reference's.

    Parameters
    ----------
    table
        A group's tidy distances. Of its rows only those of the reference are held.
    models
        The group's models; the order of rows.
    """
    one = (pc.field("a") == reference) | (pc.field("b") == reference)
    of_block = (pc.field("block") != TOTAL) & (pc.field("role") == TOTAL)
    of_role = (pc.field("block") == TOTAL) & (pc.field("role") != TOTAL)
    frame = _read(table, one & (of_block | of_role))
    frame["model"] = np.where(frame["a"] == reference, frame["b"], frame["a"])
    others = [model for model in models if model != reference]
    found = {}
    for component, rows in frame.groupby("component", sort=True):
        blocks, roles = (rows[rows[other] == TOTAL] for other in ("role", "block"))
        found[str(component)] = Moved(
            reference,
            grid(blocks, others, in_order(blocks["block"].unique()), across=("model", "block")),
            grid(roles, others, _roles(roles), across=("model", "role")),
        )
    return found


def within_pair(table: pa.Table) -> dict[str, Grid]:
    """
    Return, by component, how far two models are apart in each role (rows) of each block (columns).

    The last row is that of all roles together.

    Parameters
    ----------
    table
        The tidy distances of the two.
    """
    frame = table.select(COLUMNS).to_pandas()
    frame = frame[(frame["component"] != ALL) & (frame["block"] != TOTAL)]
    return {
        str(component): grid(
            rows,
            [*_roles(rows[rows["role"] != TOTAL]), TOTAL],
            in_order(rows["block"].unique()),
            across=("role", "block"),
        )
        for component, rows in frame.groupby("component", sort=True)
    }


def grid(
    frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], *, across: tuple[str, str]
) -> Grid:
    """
    Lay out rows of a tidy table by two of its columns.

    Parameters
    ----------
    across
        Names of the table's columns whose values are the rows and the columns.
    """
    at_row, at_column = (
        frame[name].map({each: at for at, each in enumerate(names)}).to_numpy(np.int64)
        for name, names in zip(across, (rows, columns), strict=True)
    )
    shape = (len(rows), len(columns))
    values, coverage = np.full(shape, np.nan), np.full(shape, np.nan)
    identical = np.zeros(shape, dtype=bool)
    same = (frame["identical_tensors"] == frame["tensors"]).to_numpy()
    # A distance of 0 would claim too much where what is identical is not all.
    unclear = (frame["compared_tensors"] == frame["identical_tensors"]).to_numpy()
    values[at_row, at_column] = np.where(unclear, np.nan, frame[MEASURE].to_numpy(np.float64))
    coverage[at_row, at_column] = frame["compared_parameters"] / frame["parameters"]
    identical[at_row, at_column] = same
    return Grid(tuple(rows), tuple(columns), values, identical, coverage)


def _read(table: Path, wanted: ds.Expression) -> pd.DataFrame:
    """Return the wanted rows; a batch of the file is held at a time, and no more."""
    scanner = ds.dataset(table).scanner(
        columns=COLUMNS,
        filter=wanted,
        batch_readahead=1,
        fragment_readahead=1,
        use_threads=False,
    )
    held = pa.Table.from_batches(_batches(scanner), scanner.projected_schema)
    frame: pd.DataFrame = held.to_pandas()
    return frame


def _batches(scanner: ds.Scanner) -> Iterator[pa.RecordBatch]:
    for batch in scanner.to_batches():
        if batch.num_rows:
            yield batch


def _roles(frame: pd.DataFrame) -> list[str]:
    place: Mapping[str, int] = {role: at for at, role in enumerate(ROLES)}
    return sorted(frame["role"].unique(), key=lambda role: (place.get(role, len(place)), role))
