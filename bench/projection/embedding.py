"""Reduce activations, find neighbours, compare layers: beside scikit-learn and the definitions."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

WORK = "bench.projection.work"
MEMORY = 256_000_000
OVERHEAD = 64_000_000
"""Of libraries: buffers of BLAS and HDF5, and what an allocator keeps."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Yield lines of wide maps of activations, of narrow means, and of layers against layers."""
    samples, features = (1000, 8000) if quick else (6000, 20_000)
    memory = MEMORY // 8 if quick else MEMORY
    yield from _embedded(folder, samples, features, memory, "whole maps")
    samples, features = (3000, 64) if quick else (20_000, 64)
    yield from _embedded(folder, samples, features, memory, "means over space")
    samples, features = (300, 1000) if quick else (2000, 4000)
    yield from _aligned(folder, samples, features, memory)


def _embedded(folder: Path, samples: int, features: int, memory: int, kind: str) -> Iterator[Line]:
    """Yield lines of components and neighbours."""
    file = activations(folder, samples, features)
    ours, plain = (run(WORK, way, file, "--memory", memory) for way in ("ours", "plain"))
    what = f"{kind}, {samples:,} × {features:,} float16 ({size(2 * samples * features)})"
    own, other = (each.peak_bytes - each.said["before"] for each in (ours, plain))
    allowed = memory + OVERHEAD
    yield Line(
        f"{what}: peak memory beyond imports, of the setting and {size(OVERHEAD)}",
        size(allowed),
        size(own),
        own / allowed,
        "≤ 1",
    )
    yield Line(
        f"{what}: peak memory beyond imports, scikit-learn's by ours",
        size(other),
        size(own),
        other / own,
        "≥ 3" if features >= 20_000 else "",
    )
    count = min(256, features)
    for step, name in (("components", f"{count} components"), ("neighbours", "15 nearest")):
        theirs, mine = (each.said[step] for each in (plain, ours))
        yield Line(f"{what}: {name}", seconds(theirs), seconds(mine), theirs / mine)
    if features > 1000:
        batches = run(WORK, "incremental", file, "--memory", memory)
        mine, theirs = (each.said["components"] for each in (ours, batches))
        name = "256 components, IncrementalPCA's time by ours"
        yield Line(f"{what}: {name}", seconds(theirs), seconds(mine), theirs / mine, "≥ 1")
        for name, each in (("PCA", plain), ("IncrementalPCA", batches)):
            mine, theirs = (way.said["explained"] for way in (ours, each))
            line = f"{what}: variance in 256 components, ours by {name}'s"
            yield Line(line, f"{theirs:.4f}", f"{mine:.4f}", mine / theirs, "≥ 0.99")


def _aligned(folder: Path, samples: int, features: int, memory: int) -> Iterator[Line]:
    """Yield lines of layers against layers."""
    files = [activations(folder, samples, features, seed) for seed in range(4)]
    ours, plain = (run(WORK, way, *files, "--memory", memory) for way in ("aligned", "definitions"))
    what = f"CKA of 4 × 4 layers, {samples:,} × {features:,}"
    theirs, mine = (each.said["seconds"] for each in (plain, ours))
    yield Line(f"{what}: time", seconds(theirs), seconds(mine), theirs / mine, "≥ 1")
    own, other = (each.peak_bytes - each.said["before"] for each in (ours, plain))
    yield Line(f"{what}: peak memory beyond imports", size(other), size(own), other / own)
    off = np.abs(np.subtract(ours.said["values"], plain.said["values"])).max()
    yield Line(f"{what}: largest difference", "", f"{off:.1e}")


def activations(folder: Path, samples: int, features: int, seed: int = 0) -> Path:
    """Write activations that are not there yet: 64 directions, noise and an offset, in float16."""
    file = folder / f"activations_{samples}_{features}_{seed}.h5"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(seed)
        axes = generator.standard_normal((64, features), np.float32) / 8
        partial = file.with_suffix(".part")
        with h5py.File(partial, "w") as stored:
            rows = stored.create_dataset("x", (samples, features), "f2", chunks=(1, features))
            for start in range(0, samples, 500):
                count = min(500, samples - start)
                block = generator.standard_normal((count, 64), np.float32) @ axes
                block += generator.standard_normal((count, features), np.float32) + 3
                rows[start : start + count] = block
        partial.replace(file)
    return file
