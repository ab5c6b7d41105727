"""Bring a shard up to date: keep what is sound, measure what is missing, replace the file."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.distances.plan import Content, Job, missing
from atlas.distances.shards import NameRows, ShardWriter, count_rows, iter_sound, writer

Measure = Callable[[Iterable[Job]], Iterable[tuple[Job, NDArray[np.float64]]]]
Contents = Mapping[str, Mapping[str, Content]]
Choose = Callable[[str, Sequence[str]], NDArray[np.bool_]]
"""Takes a name and its sorted digests; returns which pairs are wanted, true above the diagonal."""


@dataclass
class Tally:
    """Pairs of contents that an update measured, kept from the old file, and dropped from it."""

    measured: int = 0
    kept: int = 0
    dropped: int = 0


def update(
    path: Path,
    contents: Contents,
    *,
    measure: Measure,
    method: int,
    owns: Callable[[str], bool],
    most_contents: int = sys.maxsize,
    keep_absent: bool = True,
    choose: Choose | None = None,
) -> Tally:
    """
    Rewrite a shard so that it holds every pair of the contents.

    Names stream through in order: what is in memory does not grow with the shard.

    Parameters
    ----------
    contents
        What the roster holds of the shard's names: name to digest to content.
    measure
        The engine: takes jobs, hands them out in the same order with their measures.
    method
        Version of the method; rows of other versions are dropped.
    owns
        Tells whether a name is dealt to this shard; rows of others, left from another number of
        shards, are dropped.
    most_contents
        Contents that one job may read together.
    keep_absent
        Keep sound rows of contents that the roster does not hold, so that a model that comes back
        costs nothing.
    choose
        Tells which pairs of a name's contents are wanted; all of them where it is None.

    Raises
    ------
    AtlasError
        When the shard can't be written; the old one is left as it was.
    """
    try:
        with writer(path) as shard:
            merge = _Merge(shard, path, contents, method, owns, most_contents, keep_absent, choose)
            for job, measures in measure(merge.jobs()):
                merge.take(job, measures)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise AtlasError(
            f"{path}: can't be written ({reason}); the old file is kept."
            " Make room on the disk and run again"
        ) from error
    merge.tally.dropped = merge.old_rows - merge.tally.kept
    return merge.tally


@dataclass
class _Entry:
    """A name on its way through: its old rows, and its jobs' rows as they come."""

    old: NameRows
    waiting: int
    new: list[NameRows] = field(default_factory=list)


class _Merge:
    """Walks through old rows and contents in order of name, and writes both together."""

    def __init__(
        self,
        shard: ShardWriter,
        path: Path,
        contents: Contents,
        method: int,
        owns: Callable[[str], bool],
        most_contents: int,
        keep_absent: bool,
        choose: Choose | None,
    ) -> None:
        self.tally = Tally()
        self.old_rows = count_rows(path)
        self._shard = shard
        self._path = path
        self._contents = contents
        self._method = method
        self._owns = owns
        self._most_contents = most_contents
        self._keep_absent = keep_absent
        self._choose = choose
        self._entries: deque[_Entry] = deque()

    def jobs(self) -> Iterator[Job]:
        """Yield what is missing; names that lack nothing are written on the way."""
        sound = iter_sound(self._path, method=self._method, owns=self._owns)
        for old in self._with_absent(sound):
            contents = self._contents.get(old.name, {})
            kept = old if self._keep_absent else _restricted(old, contents)
            self.tally.kept += kept.first.size
            digests = sorted(contents)
            chosen = self._choose(old.name, digests) if self._choose and digests else None
            jobs = list(
                missing(
                    old.name,
                    contents,
                    _known(kept, digests),
                    chosen=chosen,
                    most_contents=self._most_contents,
                )
            )
            self._entries.append(_Entry(kept, len(jobs)))
            self._drain()
            yield from jobs
        self._drain()

    def take(self, job: Job, measures: NDArray[np.float64]) -> None:
        """Take in a job's measures; jobs come in the order in which they were yielded."""
        entry = self._entries[0]
        entry.new.append(_rows(job, measures, self._method))
        entry.waiting -= 1
        self.tally.measured += job.first.size
        self._drain()

    def _with_absent(self, rows: Iterator[NameRows]) -> Iterator[NameRows]:
        """Add empty rows for names that have none yet, keeping the order."""
        left = deque(sorted(self._contents))
        for each in rows:
            while left and left[0] < each.name:
                yield NameRows.empty(left.popleft(), self._method)
            if left and left[0] == each.name:
                left.popleft()
            yield each
        for name in left:
            yield NameRows.empty(name, self._method)

    def _drain(self) -> None:
        """Write the names at the front that wait for nothing more."""
        while self._entries and self._entries[0].waiting == 0:
            entry = self._entries.popleft()
            if parts := [rows for rows in (entry.old, *entry.new) if rows.first.size]:
                self._shard.add(_joined(parts))


def _known(rows: NameRows, digests: list[str]) -> NDArray[np.bool_] | None:
    """Return which pairs of the digests there are rows of: boolean, true above the diagonal."""
    if not rows.first.size:
        return None
    place = {digest: index for index, digest in enumerate(digests)}
    at = np.array([place.get(digest, -1) for digest in rows.digests], np.int64)
    first, second = at[rows.first], at[rows.second]
    held = (first >= 0) & (second >= 0)
    known = np.zeros((len(digests), len(digests)), bool)
    known[first[held], second[held]] = True
    return known


def _restricted(rows: NameRows, contents: Mapping[str, Content]) -> NameRows:
    """Return the rows of pairs of these contents alone, naming no others."""
    held = np.array([digest in contents for digest in rows.digests], bool)
    chosen = held[rows.first] & held[rows.second]
    first, second = rows.first[chosen], rows.second[chosen]
    used = np.zeros(len(rows.digests), bool)
    used[first] = used[second] = True
    code = (np.cumsum(used) - 1).astype(np.int32)
    return replace(
        rows,
        digests=[rows.digests[index] for index in np.flatnonzero(used)],
        first=code[first],
        second=code[second],
        numel=rows.numel[chosen],
        measures=rows.measures[:, chosen],
    )


def _rows(job: Job, measures: NDArray[np.float64], method: int) -> NameRows:
    return NameRows(
        name=job.name,
        digests=[content.digest for content in job.contents],
        first=job.first,
        second=job.second,
        numel=np.full(job.first.size, job.numel, np.int64),
        measures=measures,
        method=method,
    )


def _joined(parts: list[NameRows]) -> NameRows:
    """Return several sets of one name's rows as one, in order of the digests."""
    digests = sorted({digest for part in parts for digest in part.digests})
    place = {digest: index for index, digest in enumerate(digests)}
    codes = [np.array([place[digest] for digest in part.digests], np.int32) for part in parts]
    first = np.concatenate([code[part.first] for code, part in zip(codes, parts, strict=True)])
    second = np.concatenate([code[part.second] for code, part in zip(codes, parts, strict=True)])
    order = np.argsort(first * np.int64(len(digests)) + second)
    return NameRows(
        name=parts[0].name,
        digests=digests,
        first=first[order],
        second=second[order],
        numel=np.concatenate([part.numel for part in parts])[order],
        measures=np.concatenate([part.measures for part in parts], axis=1)[:, order],
        method=parts[0].method,
    )
