"""Two models, tensor by tensor: what became of each name, and how far its weights are apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from atlas.basis.errors import AtlasError
from atlas.distances.shards import NameRows
from atlas.measures import MEASURED, SHOWN, derive, of_equal
from atlas.relations.contents import Contents, Status, compared

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("name", "component", "block", "role", "status")]
    + [("numel", pa.int64())]
    + [(name, pa.float64()) for name in SHOWN]
    + [(name, pa.string()) for name in ("key_a", "key_b")]
)


def table(contents: Contents, shards: Iterable[NameRows]) -> pa.Table:
    """
    Return one row per tensor of either of two models, in order of name.

    Measures are null where the tensors were not compared, and 0 where they are identical.

    Raises
    ------
    AtlasError
        A pair of contents that should have been measured is in no shard.
    """
    first, second = contents.index[:, 0], contents.index[:, 1]
    status = contents.status(first, second)
    held = pd.DataFrame({"a": _digests(contents, first), "b": _digests(contents, second)})
    measured = _lookup(contents.tensors["name"], held, shards)
    norm = contents.contents["norm"].to_numpy(np.float64)
    norm_a, norm_b = norm[np.maximum(first, 0)], norm[np.maximum(second, 0)]
    same = status == Status.IDENTICAL
    measured[:, same] = of_equal(norm_a[same])
    counted = compared(status)
    unmeasured = counted & np.isnan(measured).any(axis=0)
    if unmeasured.any():
        name = contents.tensors["name"][unmeasured].iloc[0]
        raise AtlasError(
            f"{name}: in no shard below results/distances; run `distances` again. Where distances ›"
            " pairs is nearest, put both models into a group: others' pairs are not measured"
        )
    numel = contents.numel(first, second)
    values = {each.name: row for each, row in zip(MEASURED, measured, strict=True)}
    parameters = np.where(counted, numel, 0)
    values |= derive(values, norm_a=norm_a, norm_b=norm_b, parameters=parameters)
    columns: dict[str, object] = {
        column: pa.array(contents.tensors[column], pa.string())
        for column in ("name", "component", "block", "role")
    }
    columns["status"] = pa.array([Status(each).label for each in status], pa.string())
    columns["numel"] = numel
    for column in SHOWN:
        missing = ~counted | np.isnan(values[column])
        columns[column] = pa.array(values[column], pa.float64(), mask=missing)
    columns["key_a"] = pa.array(contents.keys[:, 0], pa.string())
    columns["key_b"] = pa.array(contents.keys[:, 1], pa.string())
    return pa.table(columns, schema=SCHEMA)


def between(contents: Contents, shards: Iterable[NameRows]) -> list[NameRows]:
    """
    Return what was measured between two models, without the pairs of other models' contents.

    So the shards are read once, whatever is made of it.
    """
    row_of = {name: row for row, name in enumerate(contents.tensors["name"])}
    digest = contents.contents["digest"].to_numpy()
    found = []
    for rows in shards:
        row = row_of.get(rows.name)
        if row is None:
            continue
        held = {digest[content] for content in contents.index[row] if content >= 0}
        mine = np.array([each in held for each in rows.digests], dtype=bool)
        at = np.flatnonzero(mine[rows.first] & mine[rows.second])
        if len(at):
            found.append(
                NameRows(
                    rows.name,
                    rows.digests,
                    rows.first[at],
                    rows.second[at],
                    rows.numel[at],
                    rows.measures[:, at],
                    rows.method,
                )
            )
    return found


def _digests(contents: Contents, held: np.ndarray) -> pd.Series:
    digest = contents.contents["digest"]
    return pd.Series([digest.iloc[each] if each >= 0 else None for each in held], dtype=object)


def _lookup(names: pd.Series, held: pd.DataFrame, shards: Iterable[NameRows]) -> np.ndarray:
    """Return the measures of a name's two contents: float64 (measures, names), NaN where absent."""
    row_of = {name: row for row, name in enumerate(names)}
    found = np.full((len(MEASURED), len(names)), np.nan)
    for rows in shards:
        row = row_of.get(rows.name)
        if row is None:
            continue
        place = {digest: at for at, digest in enumerate(rows.digests)}
        ends = {place.get(held["a"][row], -1), place.get(held["b"][row], -1)}
        if len(ends) == 2 and -1 not in ends:
            low, high = sorted(ends)
            at = np.flatnonzero(
                (np.minimum(rows.first, rows.second) == low)
                & (np.maximum(rows.first, rows.second) == high)
            )
            if len(at):
                found[:, row] = rows.measures[:, at[0]]
    return found
