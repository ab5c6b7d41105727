"""
Many small files from nothing: all that the distances take, with loading counted on both sides.

The notebook's procedure loads all models and compares a sample of their pairs, whose time is scaled
to all; ours is the workflow, from fingerprints to distances. Then thousands of smaller files are
fingerprinted, beside a sample of them in a process of Python each. Files lie in the page cache.
"""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import REPOSITORY, free_memory, run
from bench.common.workload import SIXTY_TWO_MILLION, elements, models, scaled
from workflow_runs import Atlas, Run

BASELINE = "bench.distances.notebook_procedure"
ALONE = "bench.workflow.script_runs"
SAMPLE_PAIRS = 24
SAMPLE_FILES = 20
DISTINCT = 50
"""Different files among thousands; the others are links to them, as reading is what counts."""
TWENTY_MB: dict[str, tuple[int, ...]] = {f"unet/{i}.weight": (250, 400) for i in range(100)}


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Yield the lines of both."""
    yield from _from_nothing(folder, quick=quick)
    yield from _thousands(folder, quick=quick)


def _from_nothing(folder: Path, *, quick: bool) -> Iterator[Line]:
    shapes = scaled(SIXTY_TWO_MILLION, 0.1) if quick else SIXTY_TWO_MILLION
    count = 12 if quick else 48
    needed = 2e9 + 1.1 * count * elements(shapes) * 2
    if free_memory() < needed:
        yield Line(f"{count} models: skipped, needs {size(needed)} of memory", "", "")
        return
    files = models(folder / f"{elements(shapes)}", count, shapes)
    pairs = count * (count - 1) // 2
    sample = run(BASELINE, *files, "--every", max(1, pairs // SAMPLE_PAIRS))
    loading = sample.wall - sample.said["seconds"]
    baseline = loading + sample.said["seconds"] * pairs / sample.said["pairs"]
    _within(_atlas(folder / "warm", files[:2]), "distances")  # compiles, once per machine
    ours = _within(_atlas(folder / "nothing", files), "distances")
    what = f"{count} models of {elements(shapes) / 1e6:.0f} M parameters, from nothing"
    yield Line(what, seconds(baseline), seconds(ours), baseline / ours, "≥ 10")


def _thousands(folder: Path, *, quick: bool) -> Iterator[Line]:
    count = 100 if quick else 2000
    distinct = models(folder / "twenty", min(count, DISTINCT), TWENTY_MB)
    links = folder / "links"
    links.mkdir(exist_ok=True)
    files = [links / f"s{number:04d}.safetensors" for number in range(count)]
    for number, file in enumerate(files):
        if not file.exists():
            file.hardlink_to(distinct[number % len(distinct)])
    ours = _within(_atlas(folder / "thousands", files), "results/fingerprints.csv")
    what = f"{count:,} files of {2 * elements(TWENTY_MB) / 1e6:.0f} MB, fingerprinted"
    yield Line(what, seconds(300), seconds(ours), ours / 300, "≤ 1")
    script = REPOSITORY / "scripts" / "fingerprints" / "fingerprint.py"
    sample = run(ALONE, script, *islice(files, SAMPLE_FILES))
    alone = sample.said["seconds"] * count / SAMPLE_FILES / 2
    yield Line(
        "the same, a process of Python each on two cores",
        seconds(alone),
        seconds(ours),
        alone / ours,
    )


def _atlas(folder: Path, files: list[Path]) -> Atlas:
    folder.mkdir(parents=True, exist_ok=True)
    return Atlas(folder, models={file.stem: {"path": str(file)} for file in files})


def _within(atlas: Atlas, target: str) -> float:
    """Return the seconds from the call to its end."""
    start = time.perf_counter()
    done: Run = atlas.run(target)
    if not done.success:
        raise RuntimeError(done.output)
    return time.perf_counter() - start
