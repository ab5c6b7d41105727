"""Add up the distances of 232 models of 1,680 tensors each: 45 million rows, made up."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.basis import sealed
from atlas.distances.plan import shard_of
from atlas.distances.shards import NameRows, writer
from atlas.fingerprints import fingerprint
from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

SHARDS = 16
BLOCKS = [f"{part}{number:02d}" for part in ("IN", "OUT") for number in range(12)] + ["MID"]
ROLES = ["self_attention", "cross_attention", "feed_forward", "norm", "projection"]


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make fingerprints and shards up, and add the distances up."""
    models, tensors = (40, 200) if quick else (232, 1680)
    place = folder / "joins"
    try:
        rows = _make_up(place, models, tensors)
        done = run("bench.relations.compare_group", place)
        on_disk = sum(file.stat().st_size for file in (place / "distances").iterdir())
    finally:
        shutil.rmtree(place, ignore_errors=True)
    whole = f"{rows / 1e6:.3g} million rows ({size(on_disk)})"
    yield Line(f"{whole}: time", seconds(300), seconds(done.wall), done.wall / 300, "≤ 1")
    peak = done.peak_bytes
    yield Line(f"{whole}: peak memory", size(4e9), size(peak), peak / 4e9, "≤ 1")


def _make_up(place: Path, models: int, tensors: int) -> int:
    """Write fingerprints of distinct contents and shards of all their pairs; return the rows."""
    generator = np.random.default_rng(0)
    names = [f"unet/{number:05d}.weight" for number in range(tensors)]
    digests = np.sort(
        [[generator.bytes(16).hex() for _ in range(models)] for _ in range(tensors)], axis=1
    )
    for model in range(models):
        records = [
            {
                "key": name, "name": name, "component": "unet", "dtype": "f16",
                "block": BLOCKS[row % len(BLOCKS)], "role": ROLES[row % len(ROLES)],
                "shape": [64, 64], "numel": 4096, "norm": 3.0, "nonfinite": 0, "parts": [],
                "digest": str(digests[row, model]),
            }
            for row, name in enumerate(names)
        ]  # fmt: skip
        table = pa.Table.from_pylist(records, schema=fingerprint.SCHEMA)
        sealed.write(table, place / "fingerprints" / f"m{model:03d}.parquet")
    first, second = (side.astype(np.int32) for side in np.triu_indices(models, k=1))
    (place / "distances").mkdir()
    for shard in range(SHARDS):
        with writer(place / "distances" / f"{shard}.parquet") as file:
            for row, name in enumerate(names):
                if shard_of(name, SHARDS) == shard:
                    measures = generator.random((5, first.size))
                    measures[0] = np.floor(4096 * measures[0])
                    numel = np.full(first.size, 4096, np.int64)
                    words = digests[row].tolist()
                    file.add(NameRows(name, words, first, second, numel, measures, method=1))
    return tensors * first.size
