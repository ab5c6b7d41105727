"""Which pairs of a name's distinct contents are to be measured, and what is read together."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt

import numpy as np
import xxhash
from numpy.typing import NDArray

from atlas.tensors.tensors import Part

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


def missing(
    name: str,
    contents: Mapping[str, Content],
    known: NDArray[np.bool_] | None = None,
    *,
    chosen: NDArray[np.bool_] | None = None,
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
    chosen
        Of the same shape; true above the diagonal where a pair is wanted at all. None for all.
    most_contents
        Contents that one job may read together.
    """
    held = [contents[digest] for digest in sorted(contents)]
    wanted = np.triu(np.ones((len(held), len(held)), bool), k=1)
    if known is not None:
        wanted &= ~known
    if chosen is not None:
        wanted &= chosen
    of_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, content in enumerate(held):
        of_shape[content.shape].append(row)
    for members in of_shape.values():
        rows = np.array(members)
        pairs = rows[np.stack(np.nonzero(wanted[np.ix_(rows, rows)]))]
        double = np.array([content.needs_double for content in held])
        for portion in _portions(pairs, double, side=max(1, most_contents // 2)):
            yield _job(name, held, portion)


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
