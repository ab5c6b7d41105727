"""What is said of one part of one model, and the table of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from atlas.recipes.tables import FITS
from atlas.recipes.verdicts import Form, Verdict


@dataclass(frozen=True)
class Deviation:
    """A tensor that does not follow its block's recipe."""

    name: str
    weights: tuple[float, ...] | None
    residual: float
    floor: float


@dataclass(frozen=True)
class Row:
    """One part of one target; models are places in the group."""

    target: int
    component: str
    block: str
    verdict: Verdict
    form: Form | None = None
    parents: tuple[int, ...] = ()
    weights: tuple[float, ...] | None = None
    errors: tuple[float, ...] | None = None
    residual: float | None = None
    floor: float | None = None
    nearest: int | None = None
    distance: float | None = None
    tensors: int = 0
    parameters: int = 0
    deviating: tuple[Deviation, ...] = field(default=())
    half: bool = False
    """Recovered only if arithmetic of half precision made it."""


def table(
    rows: Sequence[Row], models: Sequence[str], alike: Callable[[str, int], Sequence[int]]
) -> pa.Table:
    """
    Return the table of rows: see FITS.

    Parameters
    ----------
    models
        Ids, as rows count them.
    alike
        Returns the other models of a model's family in a component.
    """
    columns: dict[str, object] = {
        "target": [models[row.target] for row in rows],
        "component": [row.component for row in rows],
        "block": [row.block for row in rows],
        "verdict": [str(row.verdict) for row in rows],
        "form": [str(row.form) if row.form else None for row in rows],
        "parents": [[models[each] for each in row.parents] for row in rows],
        "weights": [_numbers(row.weights) for row in rows],
        "errors": [_numbers(row.errors) for row in rows],
        "alike": [
            [
                [models[each] for each in alike(row.component, parent) if each != row.target]
                for parent in row.parents
            ]
            for row in rows
        ],
        "residual": [row.residual for row in rows],
        "floor": [row.floor for row in rows],
        "nearest": [None if row.nearest is None else models[row.nearest] for row in rows],
        "distance": [row.distance for row in rows],
        "tensors": [row.tensors for row in rows],
        "parameters": [row.parameters for row in rows],
        "deviating": [
            [
                {
                    "name": each.name,
                    "weights": _numbers(each.weights),
                    "residual": each.residual,
                    "floor": each.floor,
                }
                for each in row.deviating
            ]
            for row in rows
        ],
    }
    arrays = [_array(columns[each.name], each.type) for each in FITS]
    return pa.Table.from_arrays(arrays, schema=FITS)


def _numbers(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else [float(value) for value in values]


def _array(values: object, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode()
    return pa.array(values, kind)


def in_order(
    verdicts: Sequence[int], weights: np.ndarray, errors: np.ndarray
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    """Return parents with weights and errors, heaviest first and of equal weights by place."""
    order = sorted(range(len(verdicts)), key=lambda at: (-weights[at], verdicts[at]))
    return (
        tuple(int(verdicts[at]) for at in order),
        tuple(float(weights[at]) for at in order),
        tuple(float(errors[at]) for at in order),
    )


def of_one(row: Row, source: int, verdict: Verdict, distance: float = 0.0) -> Row:
    """Return the row of a part that is another model's: a copy, or it rounded."""
    return replace(
        row,
        verdict=verdict,
        form=Form.CONVEX,
        parents=(source,),
        weights=(1.0,),
        errors=(0.0,),
        residual=distance,
        floor=distance,
    )
