"""Four models of Stable Diffusion XL's true size, end to end: fingerprints and distances."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import Process, run
from bench.common.workload import checkpoint, elements

FINGERPRINT = "bench.fingerprints.fingerprint"
OURS = "bench.distances.measure_distances"

COUNT = 4
Shapes = Mapping[str, tuple[int, ...]]


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make the models, measure, and delete them; a quick run takes Stable Diffusion 1."""
    components = run("bench.architectures.shapes", "sd15" if quick else "sdxl").said
    needed = COUNT * 2 * sum(map(elements, components.values()))
    free = shutil.disk_usage(folder).free
    if free < 1.2 * needed:
        yield Line(f"skipped: needs {size(1.2 * needed)} of disk, {size(free)} are free", "", "")
        return
    place = folder / "true-size"
    models = [place / f"m{number}" for number in range(COUNT)]
    try:
        for seed, model in enumerate(models):
            _write(model, components, seed)
        yield from _lines(place, models, needed / COUNT)
    finally:
        shutil.rmtree(place)


def _write(model: Path, components: Mapping[str, Shapes], seed: int) -> None:
    """Write one model as a diffusers folder of random float16 weights."""
    index = {}
    for number, (component, shapes) in enumerate(components.items()):
        is_text = component.startswith("text_encoder")
        stem = "model" if is_text else "diffusion_pytorch_model"
        file = model / component / f"{stem}.safetensors"
        checkpoint(file, shapes, seed=100 * seed + number)
        index[component] = ["transformers" if is_text else "diffusers", ""]
    (model / "model_index.json").write_text(json.dumps(index))


def _lines(place: Path, models: list[Path], nbytes: float) -> Iterator[Line]:
    prints = [run(FINGERPRINT, model, "--architecture", "recognised") for model in models]
    run(OURS, place, "--models", 2, "--shards", 1000)  # compiles the kernel
    distances = run(OURS, place)
    each = f"of {size(nbytes)} each"
    slowest = max(prints, key=lambda process: process.wall)
    yield Line(f"fingerprint of one {each}", "", _told(slowest))
    yield Line(f"distances of {COUNT} {each}", "", _told(distances))
    for what, process in (("fingerprint", slowest), ("distances", distances)):
        yield Line(
            f"{what}: peak memory of the job",
            "2 GB",
            size(process.peak_bytes),
            process.peak_bytes / 2e9,
            "≤ 1",
        )


def _told(process: Process) -> str:
    return f"{seconds(process.wall)} ({seconds(process.cpu)} of both cores)"
