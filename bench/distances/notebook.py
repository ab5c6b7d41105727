"""
Ours against the notebook's procedure: 48 and 96 float16 models of 62 million parameters.

Files lie in the page cache. The baseline compares a sample of the pairs, evenly spread, with all
models loaded, and its time is scaled to all pairs; `full` lets it compare them all.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.common.lines import Line, seconds, size
from bench.common.measuring import Process, free_memory, median, run
from bench.common.workload import SIXTY_TWO_MILLION, elements, models, scaled

FINGERPRINT = "bench.fingerprints.fingerprint"
OURS = "bench.distances.measure_distances"
BASELINE = "bench.distances.notebook_procedure"

REPEATS = 3
SAMPLE_PAIRS = 24


def measure(folder: Path, *, quick: bool, full: bool = False) -> Iterator[Line]:
    """Yield the lines for each number of models."""
    shapes = scaled(SIXTY_TWO_MILLION, 0.1) if quick else SIXTY_TWO_MILLION
    for count, stage, whole in ((48, "≥ 40", "≥ 25"), (96, "", "≥ 50")):
        needed = 2e9 + 1.1 * count * elements(shapes) * 2
        if free_memory() < needed:
            yield Line(f"{count} models: skipped, needs {size(needed)} of memory", "", "")
            continue
        files = models(folder / f"{elements(shapes)}", count, shapes)
        yield from _lines(files, full=full, stage=stage, whole=whole)


def _lines(files: list[Path], *, full: bool, stage: str, whole: str) -> Iterator[Line]:
    count = len(files)
    pairs = count * (count - 1) // 2
    every = 1 if full else max(1, pairs // SAMPLE_PAIRS)
    run(FINGERPRINT, *files)
    run(OURS, files[0].parent, "--models", 2)  # compiles the kernel, once per machine
    baseline, ours = [], []
    for _ in range(1 if full else REPEATS):
        ours.append(run(OURS, files[0].parent, "--models", count))
        baseline.append(run(BASELINE, *files, "--every", every))
    own = median([each.said["seconds"] for each in ours])
    scaled_up = median([_all_pairs(each, pairs) for each in baseline])
    yield _compare(f"{count} models, the stage itself", scaled_up, own, stage)
    start_up = median([each.wall - each.said["seconds"] for each in baseline])
    whole_process = median([each.wall for each in ours])
    yield _compare(f"{count} models, whole process", start_up + scaled_up, whole_process, whole)
    peaks = [max(each.peak_bytes for each in processes) for processes in (baseline, ours)]
    yield Line(f"{count} models, peak memory", *map(size, peaks), peaks[0] / peaks[1], "≥ 5")


def _all_pairs(process: Process, pairs: int) -> float:
    """Return the baseline's seconds for all pairs."""
    return float(process.said["seconds"] * pairs / process.said["pairs"])


def _compare(what: str, baseline: float, ours: float, wanted: str) -> Line:
    return Line(what, seconds(baseline), seconds(ours), baseline / ours, wanted)
