"""
Measure what the machine allows: print, as JSON, the times below which no engine can go.

- `read`: every byte of the files once into a reused buffer, by as many threads;
- `take_in`: the same, and every byte digested and decoded from float16 while it is in the cache;
- `kernel`: the bare inner loop on decoded weights in the cache, as many pairs of elements as the
  files have, by as many threads (a sample of it, scaled up);
- `instructions`: the same with vector instructions alone, two per cycle and core where the machine
  has two units, at the rate that a loop of nothing else reaches now.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np
import xxhash
from llvmlite import ir
from numba.extending import intrinsic

from atlas.distances.kernel import BLOCK, measure_decoded
from atlas.distances.vectors import VECTOR_BYTES
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.compiled import FLOAT8, decode_into

READ_BYTES = 1 << 20
SAMPLE_SECONDS = 1.0
INSTRUCTIONS_PER_VECTOR = 8
"""Of the inner loop: subtract, absolute, compare, count, add, two fused multiply-adds, maximum."""
CHAINS = 12
"""Independent sums: enough to fill two units of four cycles' latency, few enough for registers."""


def read(files: list[Path], threads: int, *, take_in: bool = False) -> float:
    """Return the seconds to read all files once, or to digest and decode them too."""

    def read_one(file: Path) -> None:
        buffer = aligned_empty(READ_BYTES)
        values = aligned_empty(BLOCK * 4).view(np.float32)
        digest = xxhash.xxh3_128()
        descriptor = os.open(file, os.O_RDONLY)
        for offset in range(0, file.stat().st_size, READ_BYTES):
            os.preadv(descriptor, [buffer.data], offset)
            if take_in:
                digest.update(buffer.data)
                _decode(buffer, FLOAT8, values)
        os.close(descriptor)

    if take_in:
        _decode(aligned_empty(BLOCK * 2), FLOAT8, aligned_empty(BLOCK * 4).view(np.float32))
    return _timed(lambda pool: list(pool.map(read_one, files)), threads)


@numba.njit(nogil=True)
def _decode(raw: Any, float8: Any, values: Any) -> None:
    for low in range(0, raw.size, 2 * BLOCK):
        decode_into(raw[low : low + 2 * BLOCK], 2, float8, values)


@numba.njit(nogil=True)
def _pairs(values: Any, first: Any, second: Any, totals: Any, repeats: int) -> None:
    steps = values.shape[1] * 4 // VECTOR_BYTES
    for _ in range(repeats):
        measure_decoded(values, steps, first, second, totals)


def kernel(models: int, elements: int, threads: int) -> float:
    """Return the seconds of the bare kernel for all pairs of models of so many elements."""

    def work(repeats: int) -> None:
        values = aligned_empty(models * BLOCK * 4).view(np.float32).reshape(models, BLOCK)
        values[:] = np.random.default_rng(0).standard_normal(values.shape, np.float32)
        first, second = (side.astype(np.int32) for side in np.triu_indices(models, k=1))
        _pairs(values, first, second, np.zeros((first.size, 5)), repeats)

    work(1)
    repeats = _repeats(work)
    seconds = _timed(lambda pool: list(pool.map(work, [repeats] * threads)), threads)
    return seconds * elements / (repeats * threads * BLOCK)


@intrinsic
def _vector_instructions(_: Any, steps: Any) -> Any:
    """Run CHAINS independent chains of fused multiply-adds for so many steps."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        lanes = min(VECTOR_BYTES // 4, 16)
        vector = ir.VectorType(ir.FloatType(), lanes)
        index = ir.IntType(64)
        name = f"llvm.fma.v{lanes}f32"
        fma = ir.Function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        before, loop, after = builder.block, *map(builder.append_basic_block, ("loop", "after"))
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(index)
        chains = [builder.phi(vector) for _ in range(CHAINS)]
        factor = vector([0.5] * lanes)
        following = builder.add(step, index(1))
        step.add_incoming(index(0), before)
        step.add_incoming(following, loop)
        taken = []
        for number, chain in enumerate(chains):
            taken.append(builder.call(fma, [chain, factor, factor]))
            chain.add_incoming(vector([float(number)] * lanes), before)
            chain.add_incoming(taken[-1], loop)
        builder.cbranch(builder.icmp_signed("<", following, arguments[0]), loop, after)
        builder.position_at_end(after)
        total = taken[0]
        for value in taken[1:]:
            total = builder.fadd(total, value)
        return builder.extract_element(total, ir.IntType(32)(0))

    return numba.float32(numba.int64), generate


@numba.njit(nogil=True)
def _instructions(steps: int) -> float:
    return _vector_instructions(steps)


def instructions(pairs: int, elements: int, threads: int) -> float:
    """Return the seconds of the inner loop's vector instructions alone."""
    scale = 1 << 16
    repeats = _repeats(lambda count: _instructions(count * scale))
    seconds = _timed(
        lambda pool: list(pool.map(_instructions, [repeats * scale] * threads)), threads
    )
    per_second = repeats * scale * CHAINS * threads / seconds
    lanes = min(VECTOR_BYTES // 4, 16)
    return pairs * elements / lanes * INSTRUCTIONS_PER_VECTOR / per_second


def _repeats(work: Callable[[int], Any]) -> int:
    """Choose how often to repeat so that the sample takes its time."""
    work(1)
    start = time.perf_counter()
    work(4)
    return max(1, int(SAMPLE_SECONDS * 4 / (time.perf_counter() - start)))


def _timed(work: Callable[[ThreadPoolExecutor], Any], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        work(pool)
        return time.perf_counter() - start


def main() -> None:
    """Print the limits for the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--elements", type=int, required=True, help="of each file")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    models = len(given.files)
    pairs = models * (models - 1) // 2
    print(
        json.dumps(
            {
                "read": read(given.files, given.threads),
                "take_in": read(given.files, given.threads, take_in=True),
                "kernel": kernel(models, given.elements, given.threads),
                "instructions": instructions(pairs, given.elements, given.threads),
            }
        )
    )


if __name__ == "__main__":
    main()
