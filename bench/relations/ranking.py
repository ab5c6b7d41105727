"""Rank the tensors of all pairs of 232 models of 2,515 tensors, beside pair after pair."""

import shutil
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from atlas.distances import shards
from atlas.fingerprints.renamings import Renamings
from atlas.relations import contents, pairs, resources
from bench.common.lines import Line, seconds, size
from bench.common.measuring import run

SAMPLE = 2
"""Pairs that are compared one after the other, for the time of a pair."""
TOLD = {"pairs": 30_000, "tensors": 20}


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make groups up; of the large one a part of the tensors, as each takes as long as another."""
    groups = ((40, 100, 20),) if quick else ((232, 2115, 200), (1000, 125, 20))
    for models, denoiser, others in groups:
        place = folder / f"ranking-{models}"
        given = ("--models", models, "--denoiser", denoiser, "--others", others, "--shards")
        try:
            made = run("bench.relations.made_up_group", place, *given)
            run("bench.relations.compare_group", place)
            run("bench.relations.write_matrices", place)
            what = f"{models} models, {denoiser + 2 * others} tensors"
            yield from _ranking(
                place, models, f"{what}, {made.said['rows'] / 1e6:.3g} million rows"
            )
            yield from _blocks(place, models)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _ranking(place: Path, models: int, what: str) -> Iterator[Line]:
    done = run("bench.relations.rank_tensors", place)
    every = models * (models - 1) // 2
    told = min(every, TOLD["pairs"])
    alone = _seconds_a_pair(place) * told
    beside = f"{what}: time of {told:,} pairs, beside one after the other ({SAMPLE}, scaled up)"
    yield Line(beside, seconds(alone), seconds(done.wall), alone / done.wall, "≥ 100")
    declared = resources.ranking_mb(models, **TOLD) * 1e6
    peak = done.peak_bytes
    yield Line(f"{what}: peak memory", size(declared), size(peak), peak / declared, "≤ 1")
    tables = sum((place / f"{name}.parquet").stat().st_size for name in ("tensors", "spread"))
    yield Line(f"{what}: both tables", "", size(tables))


def _seconds_a_pair(place: Path) -> float:
    """Return the time of one pair that is compared by itself, from a few."""
    files = sorted((place / "fingerprints").glob("*.parquet"))
    measured = sorted((place / "distances").glob("*.parquet"))
    start = time.perf_counter()
    for two in list(combinations(files, 2))[:SAMPLE]:
        held = contents.load(two, [file.stem for file in two], Renamings())
        table = pairs.table(held, shards.iter_names(measured)).to_pandas()
        table.nlargest(TOLD["tensors"], "relative_l2")
    return (time.perf_counter() - start) / SAMPLE


def _blocks(place: Path, models: int) -> Iterator[Line]:
    done = run("bench.relations.read_blocks", place)
    told = done.said
    table = (place / "distances.parquet").stat().st_size
    what = f"blocks of {told['pairs']:,} pairs of {models} models, from {size(table)}"
    yield Line(f"{what}: time", "", seconds(done.wall))
    yield Line(f"{what}: peak memory", "", size(done.peak_bytes))
    once = f"{what}: cells, beside each distinct column once"
    cells, distinct = told["cells"], told["distinct"]
    yield Line(once, f"{cells:,}", f"{distinct:,}", distinct / cells, "≤ 1")
