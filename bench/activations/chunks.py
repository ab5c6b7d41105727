"""
A chunk of activations: what is kept costs little beside the forwards, and is written fast.

The network is of the size and shape of the demo's terrain networks, with random weights, on one
thread. Bare forwards are of the same batches without hooks, in the same process and in turns.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

SAMPLES, BATCH, SIDE = 64, 8, 64
MAPS = (1280, 32, 32)
"""Of the middle block of Stable Diffusion XL, at 1024 x 1024 pixels."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Hold drawing with everything kept against bare forwards, and writing against the disk."""
    samples = SAMPLES // 4 if quick else SAMPLES
    for store in ("mean", "both"):
        said = run("bench.activations.chunks", "draw", folder / "activations", samples, store).said
        kept = "means" if store == "mean" else "means and float16 maps of three layers"
        yield Line(
            f"activations: {samples} samples, {kept} and thumbnails, rate beside bare forwards",
            f"{seconds(said['bare'])} bare",
            f"{seconds(said['drawn'])}, {size(said['bytes'])} written",
            None if quick else said["bare"] / said["drawn"],
            "≥ 0.9",
        )
    count = 50 if quick else 400
    said = run("bench.activations.chunks", "write", folder / "activations", count).said
    yield Line(
        f"activations: {count} float16 maps of 1280 x 32 x 32 written, rate beside a plain file",
        f"{size(said['bytes'] / said['plain'])} a second",
        f"{size(said['bytes'] / said['ours'])} a second",
        None if quick else said["plain"] / said["ours"],
        "≥ 0.5",
    )


def draw(folder: Path, samples: int, store: str) -> dict[str, float]:
    """Return seconds of bare forwards and of a chunk that keeps all, and the bytes it wrote."""
    import torch

    from atlas.activations import chunks
    from atlas.activations.places import Places
    from bench.activations.network import dataset, probe

    torch.set_num_threads(1)
    declared = dataset(samples=samples, batch=BATCH, store=store)
    used = probe(folder / "network", side=SIDE)
    network = used.load(torch.device("cpu"))
    inputs = {
        name: torch.ones(value.shape) if value.is_floating_point() else value.new_zeros(())
        for name, value in used.inputs(BATCH).items()
        if isinstance(value, torch.Tensor)
    }
    bare = drawn = 0.0
    with torch.inference_mode():
        network(**inputs)
        for turn in range(2):
            start = time.perf_counter()
            for _ in range(samples // BATCH):
                network(**inputs)
            bare += time.perf_counter() - start
            chunk = folder / f"chunk-{store}-{turn}"
            places = Places(chunk, chunk / "maps" if store == "both" else None)
            record = chunks.make(used, declared, model="network", chunk="0000", places=places)
            drawn += record.seconds["draw"] + record.seconds["write"]
    return {"bare": bare, "drawn": drawn, "bytes": float(sum(places.sizes().values()))}


def write(folder: Path, count: int) -> dict[str, float]:
    """Return seconds to write maps as a chunk does and as one plain file, both to the disk."""
    import os

    import numpy as np

    from atlas.activations.layers import Layer
    from atlas.activations.storage import MapsWriter

    values = np.random.default_rng(0).normal(size=(10, *MAPS)).astype(np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    spent = {"plain": 0.0, "ours": 0.0}
    for _ in range(2):
        os.sync()
        start = time.perf_counter()
        with (folder / "plain").open("wb") as stream:
            for _ in range(0, count, len(values)):
                stream.write(values.tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        spent["plain"] += time.perf_counter() - start
        (folder / "plain").unlink()
        start = time.perf_counter()
        layer = Layer("mid", "mid", MAPS)
        writer = MapsWriter(folder / "maps", [layer], [1.0], samples=count, dtype="float16")
        for first in range(0, count, len(values)):
            writer.write("mid", 1.0, first, values)
        writer.close()
        with (folder / "maps/mid.h5").open("rb") as stream:
            os.fsync(stream.fileno())
        spent["ours"] += time.perf_counter() - start
        (folder / "maps/mid.h5").unlink()
    return spent | {"bytes": float(2 * count * values[0].nbytes)}


if __name__ == "__main__":
    import json

    part, where, *rest = sys.argv[1:]
    if part == "draw":
        print(json.dumps(draw(Path(where), int(rest[0]), rest[1])))
    else:
        print(json.dumps(write(Path(where), int(rest[0]))))
