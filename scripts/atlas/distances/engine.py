"""The engine: read each content once, in chunks, and measure all its missing pairs on the way."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from math import isqrt
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.distances.plan import UNIT, Content, Job
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.digests import digest_of
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.reading import read_range
from atlas.measures import MAXIMA, MEASURED, rooted, with_least
from atlas.tensors.tensors import ITEM_BYTES

CHUNK_BYTES = 1 << 23
"""Bytes of all contents together that a thread aims to have in hand at a time."""

LEAST_MEMORY = 64_000_000

SUMS_BYTES = len(MEASURED) * 8
"""Of one pair and unit."""


@runtime_checkable
class Kernel(Protocol):
    """Measures chunks: the compiled one, or torch's on a GPU."""

    def measure(self, job: Job, raw: NDArray[np.uint8], count: int) -> NDArray[np.float64]:
        """
        Return the sums of a chunk's terms: float64 (units, pairs, measures), as in MEASURED.

        Units are of UNIT elements, or one for the whole chunk where nothing depends on the last
        bits. `raw` holds `count` elements of each content, one content after the other.
        """


def kernel_for(device: str) -> Kernel:
    """Return the kernel for a device, `cpu` or `cuda`: only that one's library is imported."""
    if device == "cpu":
        from atlas.distances.kernel import CompiledKernel

        return CompiledKernel()
    from atlas.distances.cuda import TorchKernel

    return TorchKernel(device)


def measure(
    jobs: Iterable[Job],
    *,
    threads: int,
    memory_bytes: int,
    device: str = "cpu",
    kernel: Kernel | None = None,
    chunk_elements: int | None = None,
) -> Iterator[tuple[Job, NDArray[np.float64]]]:
    """
    Yield each job, in order, with its measures: float64 (measures, pairs), as in MEASURED.

    Every content is read once per job and its digest taken again on the way, so that no distance
    of other weights than the fingerprint's is ever handed out.

    Parameters
    ----------
    jobs
        Taken one by one as the work goes on.
    memory_bytes
        Bound of the buffers of all threads together; at least LEAST_MEMORY.
    device
        `cpu` or `cuda`.
    kernel
        In place of the device's own.
    chunk_elements
        Elements of each content read at a time, instead of what suits the memory: whole units.

    Raises
    ------
    AtlasError
        When a file can't be read, or holds other weights than when it was fingerprinted.
    """
    memory = _Memory(threads, memory_bytes)
    window: deque[tuple[_Reading, bool, Future[NDArray[np.float64]]]] = deque()
    worker: _Worker | None = None
    files = OpenFiles()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for job in jobs:
                if worker is None:  # the compiled code is loaded when there is something to do
                    worker = _Worker(files, kernel or kernel_for(device))
                reading = _Reading(job)
                step = chunk_elements or memory.chunk_elements(job)
                for start in range(0, max(job.numel, 1), step):
                    stop = min(start + step, job.numel)
                    sums = pool.submit(worker.measure, reading, start, stop)
                    window.append((reading, stop == job.numel, sums))
                    if len(window) > memory.window:
                        yield from _settle(*window.popleft())
            while window:
                yield from _settle(*window.popleft())
        except MemoryError as error:
            raise AtlasError(
                f"there is no memory for buffers of {memory_bytes // 10**6} MB with {threads}"
                " threads; lower distances › memory_mb or threads and run again"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def most_contents(dtypes: Iterable[str], *, threads: int, memory_bytes: int) -> int:
    """Return how many contents of these dtypes a job may read together to keep to the memory."""
    memory = _Memory(threads, memory_bytes)
    widest = max((ITEM_BYTES[dtype] for dtype in dtypes), default=1)
    by_bytes = memory.raw_bytes // (UNIT * widest)
    by_pairs = isqrt(2 * memory.sums_bytes // SUMS_BYTES)
    return max(2, min(by_bytes, by_pairs))


class _Memory:
    """Shares the memory out: half for the bytes of contents, half for the sums of pairs."""

    def __init__(self, threads: int, memory_bytes: int) -> None:
        half = max(memory_bytes, LEAST_MEMORY) // 2
        self.window = 2 * threads
        """Chunks that are read, measured, or waiting to be added up."""
        self.raw_bytes = half // threads
        self.sums_bytes = half // (self.window + 2)

    def chunk_elements(self, job: Job) -> int:
        """Choose how much of each content a chunk holds: whole units, at least one."""
        unit_bytes = UNIT * sum(ITEM_BYTES[content.dtype] for content in job.contents)
        by_bytes = min(CHUNK_BYTES, self.raw_bytes) // unit_bytes
        by_pairs = self.sums_bytes // (SUMS_BYTES * job.first.size)
        return max(1, min(by_bytes, by_pairs)) * UNIT


class _Reading:
    """One job on its way: its digests are fed, and its sums added up, in order of the chunks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.digests = [digest_of(each.dtype, each.shape) for each in job.contents]
        self.digested = 0
        self.failed = False
        self.turn = threading.Condition()
        self.total = np.zeros((job.first.size, len(MEASURED)))

    def wait_for_turn(self, start: int) -> bool:
        """Wait until all elements before `start` are digested; false when a thread has failed."""
        with self.turn:
            self.turn.wait_for(lambda: self.digested == start or self.failed)
            return not self.failed

    def pass_on(self, stop: int) -> None:
        """Let the thread go on that has the elements from `stop` on."""
        with self.turn:
            self.digested = stop
            self.turn.notify_all()

    def fail(self) -> None:
        """Let no thread wait for a chunk that never comes."""
        with self.turn:
            self.failed = True
            self.turn.notify_all()

    def add(self, sums: NDArray[np.float64]) -> None:
        """Add a chunk's sums, unit by unit: the order does not depend on the chunk's size."""
        stacked = np.concatenate([self.total[None], sums])
        self.total = stacked.sum(axis=0)  # along the first axis numpy adds row after row
        self.total[:, MAXIMA] = stacked[:, :, MAXIMA].max(axis=0)

    @property
    def measures(self) -> NDArray[np.float64]:
        """What the sums amount to: float64 (measures, pairs)."""
        # the squares of the smallest float64 vanish, and linf is a lower bound of l2
        return with_least(rooted(np.ascontiguousarray(self.total.T)))


def _settle(
    reading: _Reading, last: bool, future: Future[NDArray[np.float64]]
) -> Iterator[tuple[Job, NDArray[np.float64]]]:
    """Take in a chunk; hand out the job when it was the last one."""
    reading.add(future.result())
    if last:
        yield reading.job, reading.measures


class _Worker:
    """What a thread does with a chunk; each has one buffer, used again and again."""

    def __init__(self, files: OpenFiles, kernel: Kernel) -> None:
        self._files = files
        self._kernel = kernel
        self._local = threading.local()

    def measure(self, reading: _Reading, start: int, stop: int) -> NDArray[np.float64]:
        """Read, check and measure elements `start` to `stop` of all contents of a job."""
        job = reading.job
        try:  # from here on: where one fails, even for want of memory, the others wait for it
            sizes = [(stop - start) * ITEM_BYTES[content.dtype] for content in job.contents]
            ends = list(accumulate(sizes))
            raw = self._buffer(ends[-1])
            pieces = [raw[end - size : end] for size, end in zip(sizes, ends, strict=True)]
            for content, piece in zip(job.contents, pieces, strict=True):
                read_range(self._files, content, start, piece)
            if reading.wait_for_turn(start):
                _check(reading, stop, pieces)
        except BaseException:
            reading.fail()
            raise
        if start == stop:  # a tensor without elements
            return np.zeros((0, job.first.size, len(MEASURED)))
        return self._kernel.measure(job, raw, stop - start)

    def _buffer(self, size: int) -> NDArray[np.uint8]:
        held: NDArray[np.uint8] | None = getattr(self._local, "buffer", None)
        if held is None or held.size < size:
            held = self._local.buffer = aligned_empty(size)
        return held[:size]


def _check(reading: _Reading, stop: int, pieces: list[NDArray[np.uint8]]) -> None:
    """Feed the digests with the elements up to `stop`, and compare them after the last."""
    for digest, piece in zip(reading.digests, pieces, strict=True):
        digest.update(piece.data)
    reading.pass_on(stop)
    if stop == reading.job.numel:
        for digest, content in zip(reading.digests, reading.job.contents, strict=True):
            if digest.hexdigest() != content.digest:
                raise _changed(reading.job, content)


def _changed(job: Job, content: Content) -> AtlasError:
    files = ", ".join(sorted({str(part.file) for part in content.parts}))
    return AtlasError(
        f"{files}: {job.name} holds other weights than when it was fingerprinted, so nothing of it"
        " was stored. If the file was replaced, run again: it is fingerprinted anew"
        " (`snakemake --forcerun fingerprint` if its time stamp was kept); else check the disk"
    )
