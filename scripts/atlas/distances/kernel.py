"""
The compiled kernel: decode a stretch of several contents and measure pairs of them in one pass.

Sums run in float32 over some 32 additions per lane (in float64 where a content needs it), in
float64 from there on, always in the same order: so a result depends on the two contents alone, not
on which others are measured with them, the memory, the threads, or the processor.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas import measures
from atlas.distances import tracing, vectors
from atlas.distances.plan import UNIT, Job
from atlas.distances.vectors import VECTOR_BYTES, sums, terms
from atlas.fingerprints.elements import compiled as elements
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.compiled import CODES, FLOAT8, decode_into
from atlas.fingerprints.elements.jit import compiled
from atlas.measures import MAXIMA, MEASURED, PLACE
from atlas.tensors.tensors import ITEM_BYTES

BLOCK = 2048
"""Elements decoded at a time: 8 kB per content, so that dozens of contents fit a core's cache."""

RUN_STEPS = 32
"""Additions per lane in the elements' own precision before float64 takes over."""

TINY = 2.0**-50
"""Differences below this have squares that vanish in float32: they are measured in float64."""


IS_MAXIMUM = tuple(place in MAXIMA for place in range(len(MEASURED)))
LINF = PLACE["linf"]


@compiled(measures, tracing, vectors)
def _measure_exactly(a, b, row):  # type: ignore[no-untyped-def]
    """Add the measures of two short stretches, in float64 throughout, to a row of sums."""
    for index in range(a.size):
        found = terms(np.float64(a[index]), np.float64(b[index]))
        for place in range(row.size):
            if IS_MAXIMUM[place]:
                row[place] = max(row[place], found[place])
            else:
                row[place] += found[place]


@compiled(measures, tracing, vectors)
def measure_decoded(values, steps, first, second, totals):  # type: ignore[no-untyped-def]
    """
    Add the measures of pairs of stretches, `steps` whole vectors long, to their sums.

    No array is sliced on the way: that would cost a third of the time.

    Parameters
    ----------
    values
        Contiguous (contents, BLOCK): float32, or float64 where differences are to be taken so.
    first, second
        int32 (pairs,), indices of contents.
    totals
        float64 (pairs, measures): what combines of each measured measure.
    """
    precision = values.dtype.type(0)
    lanes = VECTOR_BYTES // values.itemsize
    base, row_bytes = values.ctypes.data, values.shape[1] * values.itemsize
    for pair in range(first.size):
        i, j = np.uint32(first[pair]), np.uint32(second[pair])
        for begin in range(0, steps, RUN_STEPS):
            end = min(begin + RUN_STEPS, steps)
            x = base + i * row_bytes + begin * VECTOR_BYTES
            y = base + j * row_bytes + begin * VECTOR_BYTES
            found = sums(x, y, end - begin, precision)
            if 0 < found[LINF] < TINY:
                low, high = begin * lanes, end * lanes
                _measure_exactly(values[i, low:high], values[j, low:high], totals[pair])
                continue
            for place in range(len(found)):
                if IS_MAXIMUM[place]:
                    totals[pair, place] = max(totals[pair, place], found[place])
                else:
                    totals[pair, place] += found[place]


@compiled(measures, tracing, vectors, elements)
def _measure_pairs(raw, starts, items, kinds, count, first, second, float8, values, totals):  # type: ignore[no-untyped-def]
    """
    Measure pairs of contents over `count` elements.

    Parameters
    ----------
    raw
        uint8; content i's bytes lie from `starts[i]` on, `items[i]` per element of `kinds[i]`.
    first, second
        int32 (pairs,), indices of contents.
    values
        Scratch, (contents, BLOCK): float32, or float64 where differences are to be taken so.
    totals
        float64 (units, pairs, measures), written: the sums of each UNIT elements.
    """
    lanes = VECTOR_BYTES // values.itemsize
    totals[:] = 0
    for begin in range(0, count, BLOCK):
        size = min(BLOCK, count - begin)
        steps = (size + lanes - 1) // lanes
        for index in range(starts.size):
            low = starts[index] + begin * items[index]
            stretch = raw[low : low + size * items[index]]
            decode_into(stretch, kinds[index], float8, values[index, :size])
            # equal in all contents: adds nothing to any sum
            values[index, size : steps * lanes] = 0
        measure_decoded(values, steps, first, second, totals[begin // UNIT])


class CompiledKernel:
    """Measures chunks on the CPU; threads share it."""

    def __init__(self) -> None:
        self._local = threading.local()

    def measure(self, job: Job, raw: NDArray[np.uint8], count: int) -> NDArray[np.float64]:
        """Return the sums of a chunk: see engine.Kernel."""
        items = np.array([ITEM_BYTES[content.dtype] for content in job.contents])
        starts = np.cumsum(items * count) - items * count
        kinds = np.array([CODES[content.dtype] for content in job.contents])
        totals = np.empty((-(-count // UNIT), job.first.size, len(MEASURED)))
        values = self._scratch(len(job.contents), np.float64 if job.is_double else np.float32)
        _measure_pairs(
            raw, starts, items, kinds, count, job.first, job.second, FLOAT8, values, totals
        )
        return totals

    def _scratch(self, contents: int, dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        name = dtype.__name__
        held: NDArray[np.floating[Any]] | None = getattr(self._local, name, None)
        if held is None or len(held) < contents:
            held = aligned_empty(contents * BLOCK * np.dtype(dtype).itemsize).view(dtype)
            held = held.reshape(contents, BLOCK)
            setattr(self._local, name, held)
        return held[:contents]
