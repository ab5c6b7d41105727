"""The shards' files: measured pairs of contents by name, verified whenever they are read."""

import logging
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.basis import tables
from atlas.basis.arrow import numbers
from atlas.basis.errors import AtlasError
from atlas.basis.sealing import is_sealed, require_sealed, seal
from atlas.measures import MEASURED

ROW_GROUP_ROWS = 1 << 16
"""A row group takes whole names until it has this many rows, so that reading streams."""

DIGEST = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "name": DIGEST,
        "digest_a": DIGEST,
        "digest_b": DIGEST,
        "numel": pa.int64(),
        **{each.name: pa.int64() if each.is_count else pa.float64() for each in MEASURED},
        "method": pa.int32(),
    }
)


@dataclass(frozen=True)
class NameRows:
    """All measured pairs of contents of one name, in order of (first, second)."""

    name: str
    digests: list[str]
    """Sorted."""
    first: NDArray[np.int32]
    """Index into `digests` of each pair's lower digest, shape (pairs,)."""
    second: NDArray[np.int32]
    numel: NDArray[np.int64]
    measures: NDArray[np.float64]
    """A row per measured measure, as in MEASURED; shape (measures, pairs)."""
    method: int
    """Version of the method by which all of them were measured."""

    @classmethod
    def empty(cls, name: str, method: int) -> Self:
        """Return a name without pairs."""
        none = np.zeros(0, np.int32)
        return cls(
            name, [], none, none, np.zeros(0, np.int64), np.zeros((len(MEASURED), 0)), method
        )


def iter_names(paths: Iterable[Path], *, method: int | None = None) -> Iterator[NameRows]:
    """
    Yield the names of several shards with their pairs; one row group is in memory at a time.

    Each name is in one shard alone, and all of them were measured by one method, this one if it is
    given: else a sum over them would count a tensor twice, or add what was measured otherwise.

    Raises
    ------
    DamagedFileError
        A shard was cut short or altered; it was moved aside, so that the next run makes it anew.
    AtlasError
        A shard was not brought up to date with the others.
    """
    claims = _Claims(method)
    for path in paths:
        _require_sound(path)
        for rows in _names(path):
            claims.add(rows.name, path, rows.method)
            yield rows


class NamesOnDisk:
    """
    The names of several shards, of which any choice can be read: all are verified once.

    A name's pairs are read together with those of its row group: of many models, it is alone there.

    Raises
    ------
    DamagedFileError, AtlasError
        As `iter_names`.
    """

    def __init__(self, paths: Iterable[Path], *, method: int | None = None) -> None:
        claims = _Claims(method)
        self._groups: dict[tuple[Path, int], list[str]] = {}
        for path in paths:
            _require_sound(path)
            for group, named in enumerate(_methods(path)):
                for name, by in named.items():
                    claims.add(name, path, by)
                self._groups[path, group] = list(named)

    def __iter__(self) -> Iterator[str]:
        """Yield all names in the order in which they are read."""
        return (name for names in self._groups.values() for name in names)

    def read(self, wanted: Container[str]) -> Iterator[NameRows]:
        """Yield those of the names that are wanted; one row group is in memory at a time."""
        for (path, group), names in self._groups.items():
            if any(name in wanted for name in names):
                yield from (rows for rows in _read_group(path, group) if rows.name in wanted)


class _Claims:
    """Sees that each name is in one shard, and all were measured by one method."""

    def __init__(self, method: int | None) -> None:
        self.method = method
        self.home: dict[str, Path] = {}

    def add(self, name: str, path: Path, method: int) -> None:
        """Take in a name; raise AtlasError where the shard is not up to date."""
        self.method = method if self.method is None else self.method
        if method != self.method:
            raise _outdated(path, f"{name} was measured by method {method}")
        if name in self.home:
            raise _outdated(path, f"{name} is in {self.home[name].name} too")
        self.home[name] = path


def _require_sound(path: Path) -> None:
    require_sealed(path)
    if not _has_our_columns(path):
        raise _outdated(path, "it has other columns than these distances")


def _outdated(path: Path, reason: str) -> AtlasError:
    return AtlasError(
        f"{path}: out of date: {reason}. Run `snakemake distances --forcerun measure_distances`,"
        " which keeps what is sound"
    )


def iter_sound(
    path: Path, *, method: int, owns: Callable[[str], bool] = lambda name: True
) -> Iterator[NameRows]:
    """
    Yield the names that a shard owns and that were measured by this method.

    A shard that is absent or damaged has none: nothing in it is trusted. One that was made while
    there was another number of shards holds names that are another's now.
    """
    if not path.is_file():
        return
    if not is_sealed(path):
        logging.warning("%s is damaged: all that it held is measured anew", path)
        return
    if not _has_our_columns(path):
        logging.warning("%s has other columns: all that it held is measured anew", path)
        return
    yield from (rows for rows in _names(path) if rows.method == method and owns(rows.name))


def _has_our_columns(path: Path) -> bool:
    """Tell whether a shard was written with the measures that there are now."""
    return bool(pq.read_schema(path).names == SCHEMA.names)


def _names(path: Path) -> Iterator[NameRows]:
    with pq.ParquetFile(path, read_dictionary=SCHEMA.names[:3]) as file:
        for group in range(file.num_row_groups):
            yield from _split(file.read_row_group(group).combine_chunks())


def _read_group(path: Path, group: int) -> list[NameRows]:
    with pq.ParquetFile(path, read_dictionary=SCHEMA.names[:3]) as file:
        return _split(file.read_row_group(group).combine_chunks())


def _methods(path: Path) -> Iterator[dict[str, int]]:
    """Yield, by row group, its names in order and the method by which each was measured."""
    with pq.ParquetFile(path, read_dictionary=["name"]) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=["name", "method"]).combine_chunks()
            name, methods = table["name"].chunk(0), numbers(table["method"].chunk(0))
            codes, labels = numbers(name.indices), name.dictionary.to_pylist()
            starts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
            yield {labels[codes[start]]: int(methods[start]) for start in starts}


def count_rows(path: Path) -> int:
    """Return how many rows a shard has: 0 where it is absent or damaged."""
    if not path.is_file() or not is_sealed(path):
        return 0
    return int(pq.read_metadata(path).num_rows)


@contextmanager
def writer(path: Path) -> Iterator["ShardWriter"]:
    """
    Hand out a writer; the shard's file appears, sealed, when the block has succeeded.

    What a killed job left behind is removed: Snakemake lets no two jobs write one file.
    """
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink()
    with tables.replacing(path) as partial:
        with pq.ParquetWriter(
            partial,
            SCHEMA,
            compression="zstd",
            store_schema=False,
            use_dictionary=["name", "digest_a", "digest_b", "numel", "method"],
            dictionary_pagesize_limit=1 << 26,
            write_statistics=False,
        ) as file:
            shard = ShardWriter(file)
            yield shard
            shard.flush()
        seal(partial)


class ShardWriter:
    """Takes names in sorted order and writes them in row groups of whole names."""

    def __init__(self, file: pq.ParquetWriter) -> None:
        self._file = file
        self._pending: list[NameRows] = []
        self._pending_rows = 0

    def add(self, rows: NameRows) -> None:
        """Append a name; names come in sorted order."""
        self._pending.append(rows)
        self._pending_rows += rows.first.size
        if self._pending_rows >= ROW_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending as a row group."""
        if self._pending:
            self._file.write_table(_table(self._pending), row_group_size=self._pending_rows)
            self._pending, self._pending_rows = [], 0


def _table(names: list[NameRows]) -> pa.Table:
    """Lay several names' rows one below the other."""
    lengths = [rows.first.size for rows in names]
    vocabulary = sorted({digest for rows in names for digest in rows.digests})
    code = {digest: index for index, digest in enumerate(vocabulary)}
    digests = pa.array(vocabulary, pa.string())
    codes = [np.array([code[digest] for digest in rows.digests], np.int32) for rows in names]
    sides = [
        np.concatenate([own[getattr(rows, side)] for own, rows in zip(codes, names, strict=True)])
        for side in ("first", "second")
    ]
    measures = np.concatenate([rows.measures for rows in names], axis=1)
    columns = [
        pa.DictionaryArray.from_arrays(
            np.repeat(np.arange(len(names), dtype=np.int32), lengths),
            pa.array([rows.name for rows in names], pa.string()),
        ),
        *(pa.DictionaryArray.from_arrays(side, digests) for side in sides),
        np.concatenate([rows.numel for rows in names]),
        *(
            row.astype(np.int64) if measure.is_count else row
            for measure, row in zip(MEASURED, measures, strict=True)
        ),
        np.repeat([np.int32(rows.method) for rows in names], lengths),
    ]
    return pa.table(columns, schema=SCHEMA)


def _split(table: pa.Table) -> list[NameRows]:
    """Cut a row group into its names."""
    column = {field.name: table[field.name].chunk(0) for field in SCHEMA}
    name, first, second = (column[key] for key in ("name", "digest_a", "digest_b"))
    numel = numbers(column["numel"])
    measures = np.stack([numbers(column[each.name]) for each in MEASURED], dtype=np.float64)
    methods = numbers(column["method"])
    codes = numbers(name.indices)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    labels = name.dictionary.to_pylist()
    vocabularies = [side.dictionary.to_pylist() for side in (first, second)]
    sides = [numbers(side.indices) for side in (first, second)]
    rows = []
    for start, stop in zip(starts, [*starts[1:], codes.size], strict=True):
        digests, low, high = _encode([side[start:stop] for side in sides], vocabularies)
        part = slice(start, stop)
        rows.append(
            NameRows(
                name=labels[codes[start]],
                digests=digests,
                first=low,
                second=high,
                numel=numel[part],
                measures=measures[:, part],
                method=int(methods[start]),
            )
        )
    return rows


def _encode(
    sides: list[NDArray[np.int32]], vocabularies: list[list[str]]
) -> tuple[list[str], NDArray[np.int32], NDArray[np.int32]]:
    """Turn codes of two vocabularies to codes of one sorted list of digests."""
    used = [np.flatnonzero(np.bincount(side)) for side in sides]
    held = [
        [words[code] for code in codes] for words, codes in zip(vocabularies, used, strict=True)
    ]
    digests = sorted({*held[0], *held[1]})
    place = {digest: index for index, digest in enumerate(digests)}
    recoded = []
    for side, codes, words in zip(sides, used, held, strict=True):
        lookup = np.zeros(codes[-1] + 1, np.int32)
        lookup[codes] = [place[word] for word in words]
        recoded.append(lookup[side])
    return digests, recoded[0], recoded[1]
