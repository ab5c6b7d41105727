"""Find, from the fingerprints alone, the distinct contents of a shard and the pairs to measure."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from atlas.checkpoint.tensors import FLOATING, Part
from atlas.errors import AtlasError

COLUMNS = ["name", "component", "dtype", "shape", "digest", "norm", "nonfinite", "parts"]
UNWEIGHED = "other"
"""The component of counters and schedules, which never enter a distance."""

CACHED_CONTENTS = 32
"""Pairs are measured in squares of so many contents: two sides of 32 × 8 kB fit a core's cache."""


@dataclass(frozen=True, slots=True)
class Content:
    """One distinct content of a name, and where one of the models has it."""

    digest: str
    dtype: str
    shape: tuple[int, ...]
    norm: float
    parts: tuple[Part, ...]

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def needs_double(self) -> bool:
        """Whether its squares may leave the range of float32: then nothing of it is taken there."""
        rms = self.norm / sqrt(max(self.numel, 1))
        return self.dtype == "f64" or self.norm > 2.0**50 or 0 < rms < 2.0**-40


@dataclass(frozen=True, slots=True)
class Job:
    """Contents of one name and shape, and the pairs of them to be measured in one pass."""

    name: str
    contents: tuple[Content, ...]
    first: NDArray[np.int32]
    """Index of each pair's lexically lower digest in `contents`, shape (pairs,); in any order."""
    second: NDArray[np.int32]

    @property
    def numel(self) -> int:
        """Number of elements of each content."""
        return self.contents[0].numel

    @property
    def is_double(self) -> bool:
        """Whether differences are taken in float64: every pair of the job has one that needs it."""
        return any(content.needs_double for content in self.contents)


@cache
def shard_of(name: str, count: int) -> int:
    """Deal a tensor's name to one of `count` shards, whatever other names there are."""
    return int(xxhash.xxh3_64_intdigest(name.encode())) % count


def contents_of(
    fingerprints: Mapping[Path, Path], *, shard: int, count: int
) -> dict[str, dict[str, Content]]:
    """
    Return the distinct contents of a shard's names that can be measured: name to digest to content.

    Integers, the component `other`, and contents with NaN or infinities are left out.

    Parameters
    ----------
    fingerprints
        Each model's fingerprint, and the folder that its files are named from.

    Raises
    ------
    AtlasError
        When a fingerprint can't be read.
    """
    found: dict[str, dict[str, Content]] = defaultdict(dict)
    for fingerprint, home in fingerprints.items():
        table = _read(fingerprint)
        identity = (table[column].to_pylist() for column in ("name", "component", "digest"))
        unseen = [
            row
            for row, (name, component, digest) in enumerate(zip(*identity, strict=True))
            if shard_of(name, count) == shard
            and component != UNWEIGHED
            and digest not in found.get(name, ())
        ]
        for row in _rows(table, unseen):
            if row["dtype"] in FLOATING and row["nonfinite"] == 0:
                found[row["name"]][row["digest"]] = _content(row, home)
    return dict(found)


def missing(
    name: str,
    contents: Mapping[str, Content],
    known: NDArray[np.bool_] | None = None,
    *,
    most_contents: int = sys.maxsize,
) -> Iterator[Job]:
    """
    Yield the jobs of a name that has pairs still to be measured.

    There is one for each shape, one more where some contents need float64, and several where there
    are more contents than may be in memory together.

    Parameters
    ----------
    known
        Boolean (contents, contents), in sorted order of digest; true above the diagonal where the
        pair is measured already. None when nothing is.
    most_contents
        Contents that one job may read together.
    """
    held = [contents[digest] for digest in sorted(contents)]
    wanted = np.triu(np.ones((len(held), len(held)), bool), k=1)
    if known is not None:
        wanted &= ~known
    of_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, content in enumerate(held):
        of_shape[content.shape].append(row)
    for members in of_shape.values():
        rows = np.array(members)
        pairs = rows[np.stack(np.nonzero(wanted[np.ix_(rows, rows)]))]
        double = np.array([content.needs_double for content in held])
        for chosen in _portions(pairs, double, side=max(1, most_contents // 2)):
            yield _job(name, held, chosen)


def _portions(
    pairs: NDArray[np.int64], double: NDArray[np.bool_], *, side: int
) -> Iterator[NDArray[np.int64]]:
    """Part pairs, shape (2, pairs), by the precision they need, and into squares of contents."""
    if pairs.size == 0:
        return
    square = pairs // side
    portion = (square[0] << 32) + (square[1] << 1) + double[pairs].any(axis=0)
    for each in np.unique(portion):
        yield pairs[:, portion == each]


def _job(name: str, held: list[Content], pairs: NDArray[np.int64]) -> Job:
    """Make a job of pairs of held contents, in an order that keeps few contents in the cache."""
    used = np.zeros(len(held), bool)
    used[pairs] = True
    first, second = (np.cumsum(used) - 1)[pairs].astype(np.int32)
    contents = tuple(held[row] for row in np.flatnonzero(used))
    if len(contents) > CACHED_CONTENTS:
        order = np.lexsort((second // CACHED_CONTENTS, first // CACHED_CONTENTS))
        first, second = first[order], second[order]
    return Job(name=name, contents=contents, first=first, second=second)


def _rows(table: pa.Table, chosen: list[int]) -> Iterator[dict[str, Any]]:
    """Yield some rows of a table; its own `take` would import pyarrow.compute for 40 ms."""
    columns = (table[name].combine_chunks() for name in COLUMNS)
    values = [[column[row].as_py() for row in chosen] for column in columns]
    for row in zip(*values, strict=True):
        yield dict(zip(COLUMNS, row, strict=True))


def _read(fingerprint: Path) -> pa.Table:
    try:
        with pq.ParquetFile(fingerprint) as file:  # pq.read_table would import pyarrow.dataset
            return file.read(columns=COLUMNS)
    except (OSError, pa.ArrowException) as error:
        raise AtlasError(
            f"{fingerprint}: can't be read as a fingerprint ({error}); delete it and run again"
        ) from error


@cache
def _inside(home: Path, file: str) -> Path:
    """Join paths once per file, not once per tensor."""
    return home / file


def _content(row: dict[str, Any], home: Path) -> Content:
    parts = tuple(
        Part(
            file=_inside(home, part["file"]),
            offset=part["offset"],
            shape=tuple(part["shape"]),
            strides=None if part["strides"] is None else tuple(part["strides"]),
        )
        for part in row["parts"]
    )
    return Content(
        digest=row["digest"],
        dtype=row["dtype"],
        shape=tuple(row["shape"]),
        norm=row["norm"],
        parts=parts,
    )
