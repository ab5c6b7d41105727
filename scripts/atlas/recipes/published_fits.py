"""Recipes from published matrices: whole components, four decimals, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.recipes import rows as told
from atlas.recipes.block_squares import BlockSquares, read_squares
from atlas.recipes.fit import fit_part
from atlas.recipes.rows import Row
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict

ELEMENTS = 2.0**24
"""What a component is taken to have: the matrices do not tell."""
LAST_PLACE = 1e-4
"""Of a printed distance."""


def fit(table: Path, *, most: int) -> pa.Table:
    """
    Return the recipes of a group of published matrices: see FITS.

    What rounding leaves is not known, so no sum is more than `approximate`.

    Parameters
    ----------
    table
        The group's tidy table, as import_matrices writes it.
    most
        Largest number of parents.
    """
    held = pq.read_table(table, columns=["a", "b"])
    models = sorted({*held["a"].to_pylist(), *held["b"].to_pylist()})
    found = [
        row
        for known in read_squares(table, models)
        for target in range(len(models))
        if (row := _row(known, target, most)) is not None
    ]
    found.sort(key=lambda row: (row.target, row.component))
    return told.table(found, models, lambda component, model: [])


def _row(known: BlockSquares, target: int, most: int) -> Row | None:
    squares = known.squares[0]
    others = np.flatnonzero(np.isfinite(squares[target]))
    others = others[others != target]
    if not len(others):
        return None
    at = others[np.argmin(squares[target, others])]
    distance = float(np.sqrt(squares[target, at]))
    row = Row(
        target, known.component, WHOLE, Verdict.NONE, nearest=int(at), distance=distance,
        residual=distance,
    )  # fmt: skip
    if distance == 0:
        return told.of_one(row, int(at), Verdict.COPY)
    kept = [int(each) for each in others if not _is_repeated(squares, int(each), others)]
    places = [target, *(each for each in kept if np.isfinite(squares[each, kept]).all())]
    own = squares[np.ix_(places, places)]
    typical = float(np.median(np.sqrt(own[0, 1:])))
    best = fit_part(own, elements=ELEMENTS, floor=None, precision=LAST_PLACE / typical, most=most)
    if not best.parents or best.form is Form.SCALED:
        return row
    return Row(
        target,
        known.component,
        WHOLE,
        best.verdict,
        best.form,
        tuple(places[each] for each in best.parents),
        best.weights,
        best.errors,
        best.residual,
        None,
        int(at),
        distance,
    )


def _is_repeated(squares: np.ndarray, model: int, others: np.ndarray) -> bool:
    """Tell whether an earlier one of others is the same."""
    return any(squares[model, each] == 0 for each in others if each < model)
