"""A group's tidy distances as labelled matrices, and published matrices as tidy distances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from atlas.relations.contents import Status
from atlas.relations.groups import COUNTS, SCHEMA, TOTAL, total_rows
from atlas.relations.matrices import Matrix, identical_value

COVERAGE = "coverage"
"""Share of a component's parameters that were compared, from 0 to 1."""


NEEDED = [
    "a", "b", "component", "block", "role", *COUNTS, "identical_tensors",
    *(f"{status.label}_tensors" for status in (Status.ONLY_A, Status.ONLY_B, Status.REFUSED)),
]  # fmt: skip
"""Columns of a tidy table that every matrix needs."""
WHOLE = [("block", "=", TOTAL), ("role", "=", TOTAL)]


def components(table: Path) -> list[str]:
    """Return the components of a tidy table's file, sorted."""
    frame = pd.read_parquet(table, columns=["component"], filters=WHOLE)
    return sorted(frame["component"].unique())


def read_totals(table: Path, component: str, measures: Sequence[str]) -> pd.DataFrame:
    """Return a tidy table's rows for one whole component, with what its matrices need."""
    columns = [*NEEDED, *(measure for measure in measures if measure != COVERAGE)]
    wanted = [*WHOLE, ("component", "=", component)]
    return pd.read_parquet(table, columns=columns, filters=wanted)


def matrix(frame: pd.DataFrame, models: Sequence[str], *, component: str, measure: str) -> Matrix:
    """
    Return one measure of one component between the models, in their order.

    A pair is marked identical only where every tensor of either model is identical. Where all
    that could be compared is identical but some of it could not, the cell stays empty: 0 would
    claim too much.
    """
    rows = total_rows(frame)
    rows = rows[rows["component"] == component]
    place = {model: at for at, model in enumerate(models)}
    a, b = (np.array([place[model] for model in rows[side]], dtype=np.int64) for side in "ab")
    same = (rows["identical_tensors"] == rows["tensors"]).to_numpy()
    values = _values(rows, measure)
    unclear = ~same & (rows["compared_tensors"] == rows["identical_tensors"]).to_numpy()
    if measure != COVERAGE:
        values = np.where(unclear, np.nan, values)
    held = _holders(rows, a, b, len(models))
    best = 1 if measure == COVERAGE else identical_value(measure)
    square = np.full((len(models), len(models)), np.nan)
    square[a, b] = square[b, a] = np.where(same, best, values)
    square[held, held] = best
    identical = np.zeros(square.shape, dtype=bool)
    if measure != COVERAGE:
        identical[a, b] = identical[b, a] = same
        identical[held, held] = True
    return Matrix(
        ids=tuple(models),
        labels=tuple(models),
        values=square,
        identical=identical,
        component=component,
        measure=measure,
    )


def _values(rows: pd.DataFrame, measure: str) -> npt.NDArray[np.float64]:
    if measure == COVERAGE:
        return (rows["compared_parameters"] / rows["parameters"]).to_numpy(np.float64)
    return rows[measure].to_numpy(np.float64)


def _holders(
    rows: pd.DataFrame, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], size: int
) -> npt.NDArray[np.int64]:
    """Return the places of the models of which any tensor of the component was read."""
    readable = rows["tensors"] - rows[f"{Status.REFUSED.label}_tensors"]
    has_a = (rows[f"{Status.ONLY_B.label}_tensors"] < readable).to_numpy()
    has_b = (rows[f"{Status.ONLY_A.label}_tensors"] < readable).to_numpy()
    holds = np.zeros(size, dtype=bool)
    holds[a[has_a]] = True
    holds[b[has_b]] = True
    return np.flatnonzero(holds)


def tidy(matrices: Sequence[Matrix]) -> pa.Table:
    """
    Return published matrices as a tidy table: what they do not tell is null.

    Of a matrix without checkpoints only the l2 of whole components is known, and that a pair was
    compared at all.
    """
    records = []
    for one in matrices:
        for i, j in zip(*np.triu_indices(len(one), k=1), strict=True):
            value = one.values[i, j]
            if not np.isnan(value):
                a, b = sorted((one.ids[i], one.ids[j]))
                whole = {"component": one.component, "block": TOTAL, "role": TOTAL}
                records.append({"a": a, "b": b} | whole | {"l2": float(value)})
    return pa.Table.from_pylist(records, schema=SCHEMA)
