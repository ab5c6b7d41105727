"""Search a library of 1,000 models of Stable Diffusion XL's blocks for the nearest of one."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from atlas.fingerprints.elements.projection import SUMS
from atlas.library import packing
from atlas.library.entries import Block, Entry, Part
from atlas.library.index import Index
from bench.common.lines import Line, seconds, size

COMPONENTS = {"text_encoder": 14, "text_encoder_2": 35, "unet": 24, "vae": 12}
"""Of Stable Diffusion XL, with so many blocks."""
NEAR = 0.02


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make a library up, read it, and search it for relatives of one of its models."""
    models = 100 if quick else 1000
    path = folder / "search.parquet"
    generator = np.random.default_rng(0)
    base = {name: generator.standard_normal((count, SUMS)) for name, count in COMPONENTS.items()}
    try:
        packing.write((_entry(number, base, generator) for number in range(models)), path)
        each = path.stat().st_size / models
        yield Line(f"{models} models: a model's share of the file", "1 MB", size(each), each / 1e6,
                   "≤ 1")  # fmt: skip
        start = time.perf_counter()
        entries = packing.read(path)
        index = Index(entries)
        asked = entries[models // 2]
        for part in asked.parts:
            found = index.search(part, 10)
            assert found[0].model == asked.model
        taken = time.perf_counter() - start
        wanted = "" if quick else "≤ 1"
        yield Line(
            f"{models} models: reading and searching", "5 s", seconds(taken), taken / 5, wanted
        )
        start = time.perf_counter()
        for part in asked.parts:
            index.search(part, 10)
        yield Line(f"{models} models: searching alone", "", seconds(time.perf_counter() - start))
    finally:
        path.unlink(missing_ok=True)


def _entry(number: int, base: dict[str, np.ndarray], generator: np.random.Generator) -> Entry:
    parts = []
    for component, sums in base.items():
        own = (sums + NEAR * generator.standard_normal(sums.shape)).astype(np.float32)
        blocks = tuple(
            Block(
                block=f"B{place:02d}",
                elements=10**7,
                left_out=0,
                layout=f"{place:016x}",
                squares=float(SUMS),
                floor=1e-4,
                digests=tuple(generator.bytes(16) for _ in range(4)),
                sums=own[place],
            )
            for place in range(len(sums))
        )
        digests = tuple(generator.bytes(16) for _ in range(4))
        parts.append(
            Part(component, "sdxl", ("f16",), 500, 10**8, 2 * 10**8, "00", digests, digests, blocks)
        )
    return Entry(f"m{number:04d}", f"model {number}", "model", tuple(parts))
