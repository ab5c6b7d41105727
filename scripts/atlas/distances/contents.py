"""Tables of contents: what a shard's job knows of the models, and all that it needs to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.basis.arrow import numbers, tuples
from atlas.distances.plan import Content, shard_of
from atlas.distances.resources import CONTENT_BYTES
from atlas.fingerprints.fingerprint import PART
from atlas.fingerprints.fingerprint import SCHEMA as FINGERPRINT
from atlas.fingerprints.renamings import Renamings
from atlas.names.components import OTHER
from atlas.tensors.tensors import FLOATING, Part

KEPT = ["digest", "dtype", "shape", "norm", "parts"]
"""Columns taken over from fingerprints."""
READ = ["name", "component", "nonfinite", *KEPT]
SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        *(FINGERPRINT.field(column) for column in KEPT),
        ("home", pa.string()),
        ("models", pa.list_(pa.int32())),
    ]
)
"""
A row per distinct content of a name, in order of name and digest.

`parts` says where the first model that holds it has it, with files relative to `home`. `models` has
the numbers of all models that hold it, in order of their ids; null where nobody asked.
"""


def collect(
    fingerprints: Mapping[Path, Path],
    *,
    count: int,
    renamings: Renamings | None = None,
    shards: Collection[int] | None = None,
    with_models: bool = False,
) -> Iterator[tuple[int, pa.Table]]:
    """
    Yield each shard's table of contents, from one reading of all fingerprints.

    Only what can be measured is there: integers, the component `other`, and tensors with NaN or
    infinities are left out.

    Parameters
    ----------
    fingerprints
        Each model's fingerprint, and the folder that its files are named from, in order of ids.
    count
        Number of shards.
    renamings
        Names to go by in the place of a fingerprint's own.
    shards
        Those to make; all by default.
    with_models
        Fill the column `models`.

    Raises
    ------
    DamagedFileError
        When a fingerprint is not as it was written.
    """
    wanted = frozenset(range(count) if shards is None else shards)
    place: dict[tuple[str, str], int] = {}
    rows: list[pa.Table] = [SCHEMA.empty_table().drop_columns(["models"])]
    dealt: list[int] = []
    holders: list[NDArray[np.int32]] = []
    for path, home in fingerprints.items():
        table, _ = sealed.read(path, READ)
        names = _names(table, renamings)
        digests = table["digest"].to_pylist()
        new, held = [], []
        for row in _measurable(table):
            name, digest = names[row], digests[row]
            shard = shard_of(name, count)
            if shard not in wanted:
                continue
            at = place.setdefault((name, digest), len(place))
            if at == len(dealt):
                dealt.append(shard)
                new.append(row)
            held.append(at)
        rows.append(_rows(table, names, new, home))
        if with_models:
            holders.append(np.unique(np.array(held, np.int32)))
    whole = pa.concat_tables(rows).append_column("models", _models(holders, len(dealt)))
    of_shard: dict[int, list[tuple[str, str, int]]] = {shard: [] for shard in sorted(wanted)}
    for (name, digest), at in place.items():
        of_shard[dealt[at]].append((name, digest, at))
    del place
    for shard, keys in of_shard.items():
        yield shard, whole.take(pa.array([at for *_, at in sorted(keys)], pa.int64()))


def passes(*, models: int, tensors: int, shards: int, memory_bytes: int) -> list[range]:
    """Part the shards so that what is collected of one part keeps to the memory."""
    most = max(1, memory_bytes // (CONTENT_BYTES * max(1, models * tensors // shards)))
    return [range(low, min(low + most, shards)) for low in range(0, shards, most)]


def write(table: pa.Table, path: Path, *, models: Sequence[str] = ()) -> None:
    """
    Write a shard's table of contents, so that equal contents give equal bytes.

    Parameters
    ----------
    models
        Ids that the numbers of the column `models` stand for, where it is filled.
    """
    sealed.write(table, path, {"models": list(models)} if models else None)


def read(path: Path) -> tuple[pa.Table, list[str]]:
    """
    Return a shard's table of contents, and the ids that its numbers of models stand for.

    Raises
    ------
    DamagedFileError
        When the table is not as it was written.
    """
    table, notes = sealed.read(path, SCHEMA.names)
    return table, notes.get("models", [])


def contents_of(table: pa.Table) -> dict[str, dict[str, Content]]:
    """Return the distinct contents of a table's names: name to digest to content."""
    columns = {name: table[name].combine_chunks() for name in SCHEMA.names}
    names, digests, dtypes, norms, homes = (
        columns[name].to_pylist() for name in ("name", "digest", "dtype", "norm", "home")
    )
    shapes = tuples(columns["shape"]) if len(table) else []
    parts = _Parts(columns["parts"], homes)
    found: dict[str, dict[str, Content]] = defaultdict(dict)
    for row, (name, digest) in enumerate(zip(names, digests, strict=True)):
        found[name][digest] = Content(
            digest=digest,
            dtype=dtypes[row],
            shape=shapes[row],
            norm=norms[row],
            parts=parts.of(row),
        )
    return dict(found)


def _names(table: pa.Table, renamings: Renamings | None) -> list[str]:
    """Return the names that tensors go by."""
    names: list[str] = table["name"].to_pylist()
    if not renamings or not renamings.tables:
        return names
    components: dict[str, list[str]] = defaultdict(list)
    for name, component in zip(names, table["component"].to_pylist(), strict=True):
        components[component].append(name)
    go_by = {
        own: adopted.name
        for component, inside in components.items()
        for own, adopted in renamings.of(component, inside).items()
    }
    return [go_by.get(name, name) for name in names]


def _measurable(table: pa.Table) -> list[int]:
    """Return the rows of finite weights, without counters, schedules and broken tensors."""
    nonfinite = numbers(table["nonfinite"].combine_chunks()).tolist() if len(table) else []
    columns = (table[name].to_pylist() for name in ("dtype", "component"))
    return [
        row
        for row, (dtype, component, broken) in enumerate(zip(*columns, nonfinite, strict=True))
        if dtype in FLOATING and component != OTHER and broken == 0
    ]


def _rows(table: pa.Table, names: Sequence[str], rows: Sequence[int], home: Path) -> pa.Table:
    """Return rows of a fingerprint as those of a table of contents, without models."""
    taken = table.select(KEPT).take(pa.array(rows, pa.int64()))
    columns = [taken[name].combine_chunks() for name in KEPT]
    return pa.table(
        [
            pa.array([names[row] for row in rows], pa.string()),
            *columns,
            pa.array([str(home)] * len(rows), pa.string()),
        ],
        schema=SCHEMA.remove(len(SCHEMA) - 1),
    )


def _models(holders: Sequence[NDArray[np.int32]], rows: int) -> pa.Array:
    """Return the numbers of the models that hold each content; nulls where nobody asked."""
    if not holders:
        return pa.nulls(rows, pa.list_(pa.int32()))
    contents = np.concatenate([np.zeros(0, np.int32), *holders])
    models = np.repeat(
        np.arange(len(holders), dtype=np.int32), [content.size for content in holders]
    )
    order = np.argsort(contents, kind="stable")  # the models of a content stay in order
    bounds = np.searchsorted(contents[order], np.arange(rows + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(models[order]))


@cache
def _inside(home: str, file: str) -> Path:
    """Join paths once per file, not once per tensor."""
    return Path(home) / file


class _Parts:
    """Columns of parts as lists: taking tensors out of a table one by one is slow."""

    def __init__(self, parts: pa.ListArray, homes: list[str]) -> None:
        self._homes = homes
        self._bounds = numbers(parts.offsets).tolist() if len(parts) else []
        inner = parts.flatten() if len(parts) else pa.array([], PART)
        self._first = self._bounds[0] if self._bounds else 0
        self._files = inner.field("file").to_pylist()
        self._offsets = inner.field("offset").to_pylist()
        self._shapes = tuples(inner.field("shape")) if len(inner) else []
        self._strides = inner.field("strides")
        self._has_strides = self._strides.null_count < len(self._strides)

    def of(self, row: int) -> tuple[Part, ...]:
        """Return where a content lies."""
        low, high = (bound - self._first for bound in self._bounds[row : row + 2])
        return tuple(self._part(number, self._homes[row]) for number in range(low, high))

    def _part(self, number: int, home: str) -> Part:
        strides = self._strides[number].as_py() if self._has_strides else None
        return Part(
            file=_inside(home, self._files[number]),
            offset=self._offsets[number],
            shape=self._shapes[number],
            strides=None if strides is None else tuple(strides),
        )
