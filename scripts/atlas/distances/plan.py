"""Find, from the fingerprints alone, the distinct contents of a shard and the pairs to measure."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from pathlib import Path

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.basis.arrow import numbers, tuples
from atlas.fingerprints.renamings import Renamings
from atlas.names.components import OTHER
from atlas.tensors.tensors import FLOATING, Part

COLUMNS = ["name", "component", "dtype", "shape", "digest", "norm", "nonfinite", "parts"]
UNIT = 1 << 14
"""Elements whose sums a kernel hands back together; larger stretches are added up in order."""
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
    fingerprints: Mapping[Path, Path],
    *,
    shard: int,
    count: int,
    renamings: Renamings | None = None,
) -> dict[str, dict[str, Content]]:
    """
    Return the distinct contents of a shard's names that can be measured: name to digest to content.

    Integers, the component `other`, and contents with NaN or infinities are left out.

    Parameters
    ----------
    fingerprints
        Each model's fingerprint, and the folder that its files are named from.
    renamings
        Names to go by in the place of a fingerprint's own.

    Raises
    ------
    DamagedFileError
        When a fingerprint is not as it was written.
    """
    found: dict[str, dict[str, Content]] = defaultdict(dict)
    for fingerprint, home in fingerprints.items():
        table, _ = sealed.read(fingerprint, COLUMNS)
        names, components, digests = (
            table[column].to_pylist() for column in ("name", "component", "digest")
        )
        if renamings and renamings.tables:
            names = _adopted(names, components, renamings)
        unseen = [
            (row, name, digest)
            for row, (name, component, digest) in enumerate(
                zip(names, components, digests, strict=True)
            )
            if shard_of(name, count) == shard
            and component != OTHER
            and digest not in found.get(name, ())
        ]
        rows = _Rows(table, home) if unseen else None
        for row, name, digest in unseen:
            if rows and rows.is_measurable(row):
                found[name][digest] = rows.content(row, digest)
    return dict(found)


def _adopted(names: list[str], components: list[str], renamings: Renamings) -> list[str]:
    """Return the names that tensors go by."""
    held: dict[str, list[str]] = defaultdict(list)
    for name, component in zip(names, components, strict=True):
        held[component].append(name)
    go_by = {
        own: adopted.name
        for component, inside in held.items()
        for own, adopted in renamings.of(component, inside).items()
    }
    return [go_by.get(name, name) for name in names]


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


@cache
def _inside(home: Path, file: str) -> Path:
    """Join paths once per file, not once per tensor."""
    return home / file


class _Rows:
    """A fingerprint's columns as lists: taking tensors out of the table one by one is slow."""

    def __init__(self, table: pa.Table, home: Path) -> None:
        columns = {name: table[name].combine_chunks() for name in COLUMNS}
        self._home = home
        self._dtypes = columns["dtype"].to_pylist()
        self._shapes = tuples(columns["shape"])
        self._norms = columns["norm"]
        self._nonfinite = numbers(columns["nonfinite"]).tolist()
        self._parts = numbers(columns["parts"].offsets).tolist()
        inner = columns["parts"].flatten()
        self._files = inner.field("file").to_pylist()
        self._offsets = numbers(inner.field("offset")).tolist()
        self._part_shapes = tuples(inner.field("shape"))
        self._strides = inner.field("strides")
        self._has_strides = self._strides.null_count < len(self._strides)

    def is_measurable(self, row: int) -> bool:
        """Tell finite weights from counters and broken tensors."""
        return self._dtypes[row] in FLOATING and self._nonfinite[row] == 0

    def content(self, row: int, digest: str) -> Content:
        """Return a tensor's content and where it lies."""
        return Content(
            digest=digest,
            dtype=self._dtypes[row],
            shape=self._shapes[row],
            norm=self._norms[row].as_py(),
            parts=tuple(map(self._part, range(*self._parts[row : row + 2]))),
        )

    def _part(self, number: int) -> Part:
        strides = self._strides[number].as_py() if self._has_strides else None
        return Part(
            file=_inside(self._home, self._files[number]),
            offset=self._offsets[number],
            shape=self._part_shapes[number],
            strides=None if strides is None else tuple(strides),
        )
