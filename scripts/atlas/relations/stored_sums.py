"""Sums of parts that wait in a file, so that a group's table takes bounded memory."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from atlas.distances.shards import NamesOnDisk
from atlas.relations.contents import Contents
from atlas.relations.groups import GroupDistances, Part, Sums, table, tables, wholes
from atlas.relations.resources import ROOM_MB, SUMS_BYTES

TILE_PAIRS = 1 << 14
"""Pairs whose totals are taken at a time: of one part, their sums stay in a core's cache."""
TABLE_PAIRS = 1 << 20
"""Pairs of a part that become a table at a time: as many as parquet takes into one row group."""


def tables_within(
    contents: Contents, names: NamesOnDisk, *, folder: Path, room_mb: int = ROOM_MB
) -> Iterator[pa.Table]:
    """
    Yield the tables that `groups.tables` does, bit for bit, with sums in no more room than this.

    Where all sums fit, shards are read once. Else parts are summed as many at a time as fit, from
    the names that belong to them, and wait in a file without a name; every sum is taken in the
    order in which it would have been.

    Parameters
    ----------
    contents
        The group's models side by side.
    names
        The measured distances.
    folder
        Where there is room for the file: up to SUMS_BYTES per pair and part.
    room_mb
        Room for sums in MB (10^6 bytes); those of one part are held in any case.

    Raises
    ------
    AtlasError
        A pair of contents that should have been measured is in no shard.
    """
    distances = GroupDistances(contents)
    named = distances.names(names)
    whole = wholes(named)
    every = sorted({*whole, *(key for keys in whole.values() for key in keys)})
    pairs = len(distances.first)
    room = int(room_mb * 1e6 / SUMS_BYTES)  # in pairs of one part
    if pairs * len(every) <= room:
        yield from tables(contents.models, distances.parts(names.read(distances.own)))
        return
    at_once = max(1, room // max(1, pairs))
    logging.info("%d parts of %d pairs: %d at a time", len(named), pairs, at_once)
    tile = max(1, min(TILE_PAIRS, room // len(every)))
    models = pa.array(contents.models, pa.string())
    with StoredSums(folder, pairs, tile) as stored:
        parts = list(named)
        for start in range(0, len(parts), at_once):
            wanted = {part: named[part] for part in parts[start : start + at_once]}
            inner = {name for own in wanted.values() for name in own}
            for part, sums in distances.parts(names.read(inner), wanted).items():
                stored.put(part, sums)
        stored.add_totals(whole)
        for part in every:
            for place in range(0, pairs, TABLE_PAIRS):
                some = slice(place, min(place + TABLE_PAIRS, pairs))
                first, second = distances.first[some], distances.second[some]
                yield table(models, first, second, part, stored.get(part, some))


class StoredSums:
    """
    Sums of parts in a file without a name, which is gone when the process ends, however it does.

    They lie there by tile of pairs, packed by LZ4: what is alike of all pairs, as most counts are,
    takes next to nothing.
    """

    def __init__(self, folder: Path, pairs: int, tile: int) -> None:
        self.pairs = pairs
        self.tile = tile
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._codec = pa.Codec("lz4")
        self._places: dict[tuple[Part, int], tuple[int, int]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, part: Part, sums: Sums) -> None:
        """Keep the sums of a part over all pairs."""
        for start in range(0, self.pairs, self.tile):
            self._put(part, start, sums[start : start + self.tile])

    def add_totals(self, whole: dict[Part, list[Part]]) -> None:
        """Keep the totals too, taken in the order of the parts: see `groups.wholes`."""
        for start in range(0, self.pairs, self.tile):
            found: dict[Part, Sums] = {}
            for part, keys in whole.items():
                sums = self._get(part, start)
                for key in keys:
                    if key not in found:
                        found[key] = Sums.zero(sums.sums.shape[1])
                    found[key] += sums
            for key, sums in found.items():
                self._put(key, start, sums)

    def get(self, part: Part, some: slice) -> Sums:
        """Return the sums of a part over some of the pairs, one after another."""
        sums = Sums.zero(some.stop - some.start)
        first = some.start - some.start % self.tile
        for start in range(first, some.stop, self.tile):
            low, high = max(start, some.start), min(start + self.tile, some.stop)
            there = sums[low - some.start : high - some.start]
            there += self._get(part, start)[low - start : high - start]
        return sums

    def _put(self, part: Part, start: int, sums: Sums) -> None:
        raw = b"".join(each.tobytes() for each in (sums.counts, sums.sums, sums.squares))
        packed = self._codec.compress(raw, asbytes=True)
        self._file.seek(self._end)
        self._file.write(packed)
        self._places[part, start] = (self._end, len(packed))
        self._end += len(packed)

    def _get(self, part: Part, start: int) -> Sums:
        place, length = self._places[part, start]
        self._file.seek(place)
        size = min(self.tile, self.pairs - start)
        raw = self._codec.decompress(self._file.read(length), SUMS_BYTES * size)
        numbers = np.frombuffer(raw, np.float64).reshape(-1, size)
        empty = Sums.zero(0)
        ends = np.cumsum([len(each) for each in (empty.counts, empty.sums, empty.squares)])
        counts, measured, squares = np.split(numbers, ends[:-1])
        return Sums(counts.view(np.int64), measured, squares)
