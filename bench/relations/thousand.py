"""Add up, tell apart and lay out as matrices 1,000 models, beside what it took before."""

import shutil
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from atlas.fingerprints.renamings import Renamings
from atlas.relations import contents, resources
from atlas.relations.judgements import Judgements
from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

PARTS = 196
"""Of the made-up group: 25 blocks of 5 roles, what two other components have, and totals."""
FEW = 40
"""Models whose pairs are judged one by one, for the time of a pair."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make groups up and run each job of theirs."""
    for models, denoiser in ((40, 50),) if quick else ((232, 686), (1000, 686)):
        place = folder / f"thousand-{models}"
        try:
            yield from _sums(place / "sums", models)
            yield from _identity(place / "identity", models, denoiser)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _sums(place: Path, models: int) -> Iterator[Line]:
    """One tensor a part: what is to be held depends on parts and pairs, not on tensors."""
    tensors = ("--denoiser", 125, "--others", 20)
    rows = run("bench.relations.made_up_group", place, "--models", models, "--shards", *tensors)
    pairs = models * (models - 1) // 2
    what = f"{models} models, {rows.said['rows'] / 1e6:.3g} million rows, {PARTS} parts"
    done = run("bench.relations.compare_group", place)
    table = (place / "distances.parquet").stat().st_size
    yield Line(f"{what}: time", "", f"{seconds(done.wall)} (a table of {size(table)})")
    # every part's sums, and again as totals of themselves
    held = 2 * PARTS * pairs * resources.SUMS_BYTES
    beside = f"{what}: peak memory, beside all sums at once"
    yield Line(beside, size(held), size(done.peak_bytes), done.peak_bytes / held)
    declared = resources.distances_mb(models) * 1e6
    yield _memory(f"{what}: peak memory, beside what is declared", declared, done.peak_bytes)
    done = run("bench.relations.write_matrices", place)
    yield Line(f"matrices of {models} models: time", "", seconds(done.wall))
    declared = resources.matrices_mb(models) * 1e6
    yield _memory(f"matrices of {models} models: peak memory", declared, done.peak_bytes)


def _identity(place: Path, models: int, denoiser: int) -> Iterator[Line]:
    tensors = ("--denoiser", denoiser, "--others", 222)
    run("bench.relations.made_up_group", place, "--models", models, *tensors)
    done = run("bench.relations.identify_components", place)
    pairs = models * (models - 1) // 2
    alone = _seconds_a_pair(place) * pairs
    text = sum(file.stat().st_size for file in place.glob("identity.*"))
    what = f"identity of {models} models of {denoiser + 444} tensors"
    yield Line(
        f"{what} ({size(text)} of text): time, beside pairs one by one",
        seconds(alone),
        seconds(done.wall),
        done.wall / alone,
        "≤ 1",
    )
    yield Line(f"{what}: time", seconds(300), seconds(done.wall), done.wall / 300, "≤ 1")
    declared = resources.identity_mb(models) * 1e6
    yield _memory(f"{what}: peak memory", declared, done.peak_bytes)
    run("bench.relations.report_duplicates", place)  # which describes the models first
    done = run("bench.relations.report_duplicates", place)
    what = f"duplicates of {models} models"
    yield Line(
        f"{what}: time, beside telling what is the same",
        seconds(alone),
        seconds(done.wall),
        done.wall / alone,
        "≤ 1",
    )
    declared = resources.duplicates_mb(models) * 1e6
    yield _memory(f"{what}: peak memory", declared, done.peak_bytes)


def _seconds_a_pair(place: Path) -> float:
    """Return the time of one pair that is judged by itself, from those of a few models."""
    files = sorted((place / "fingerprints").glob("*.parquet"))[:FEW]
    held = contents.load(files, [file.stem for file in files], Renamings())
    judgements = Judgements(held)
    start = time.perf_counter()
    for first, second in combinations(range(FEW), 2):
        status = held.status(held.index[:, first], held.index[:, second])
        for part, packed in enumerate(judgements.packed(status[:, None])[0]):
            judgements.judged(judgements.parts[part], first, second, packed, None, None)
    return (time.perf_counter() - start) / (FEW * (FEW - 1) // 2)


def _memory(what: str, baseline: float, ours: float) -> Line:
    return Line(what, size(baseline), size(ours), ours / baseline, "≤ 1")
