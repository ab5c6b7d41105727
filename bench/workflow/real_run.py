"""A small roster run for real on this machine, and its jobs simulated with the times they took."""

from __future__ import annotations

import csv
import re
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import factory
from bench.workflow.simulation import Cluster, Stage, simulate
from workflow_runs import Atlas

CORES = 2
AFTER = {
    "match_names": ("fingerprint",),
    "describe_models": ("fingerprint",),
    "describe_group": ("fingerprint",),
    "check_models": ("describe_models",),
    "collect_contents": ("match_names",),
    "measure_distances": ("match_names", "collect_contents"),
    "identify_components": ("match_names",),
    "plot_identity": ("identify_components",),
    "report_duplicates": ("identify_components", "describe_group"),
    "compare_group": ("measure_distances",),
    "write_matrices": ("compare_group",),
    "export_notebook": ("write_matrices",),
    "plot_group": ("write_matrices", "identify_components"),
}
"""Rule to the rules whose jobs it waits for."""
THREADS = {"measure_distances": CORES}


@dataclass(frozen=True)
class Comparison:
    """A real run and what the simulator makes of it, in seconds."""

    real: float
    """Snakemake's whole time without the time that it plans for, which a dry run takes."""
    simulated: float
    """Of jobs that start after as long as in another run, of half the models."""
    without_starts: float
    """Of jobs that start at once."""
    jobs: int


def compared(folder: Path, *, models: int) -> Comparison:
    """
    Run a roster, and simulate its jobs on one node of two cores.

    Each takes the seconds of its benchmark file. What Snakemake takes from one job to the next
    stands in no file: it is learnt from a run of half the models.
    """
    half, _ = _run(folder / "half", models=models // 2)
    real, jobs = _run(folder / "whole", models=models)
    between = _between_jobs(half, folder / "half")
    stages = stages_of(folder / "whole")
    bare = Cluster(nodes=1, cores=CORES)
    return Comparison(
        real=real,
        simulated=simulate(stages, replace(bare, start_seconds=between)).makespan,
        without_starts=simulate(stages, bare).makespan,
        jobs=jobs,
    )


def _between_jobs(makespan: float, folder: Path) -> float:
    """Return the start of a job with which a run is simulated as long as it was, by bisection."""
    low, high = 0.0, 10.0
    stages = stages_of(folder)
    for _ in range(30):
        middle = (low + high) / 2
        cluster = Cluster(nodes=1, cores=CORES, start_seconds=middle)
        if simulate(stages, cluster).makespan < makespan:
            low = middle
        else:
            high = middle
    return low


def _run(folder: Path, *, models: int) -> tuple[float, int]:
    """Run tiny models from nothing; return the seconds without planning, and the jobs."""
    if folder.exists():  # of an earlier call
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    atlas = Atlas(folder)
    base = factory.weights(seed=0)
    for number in range(models):
        weights = factory.changed(base, number, "unet/") if number else base
        factory.diffusers_folder(folder / "models" / f"m{number:02d}", weights)
        atlas.models[f"m{number:02d}"] = {"path": f"models/m{number:02d}"}
    names = list(atlas.models)
    atlas.groups = {"all": {"models": names}, "half": {"models": names[: max(2, models // 2)]}}
    settings = {"distances": {"shards": 4, "threads": CORES}}
    start = time.perf_counter()
    planned = atlas.run("--dry-run", **settings)
    planning = time.perf_counter() - start
    start = time.perf_counter()
    done = atlas.run(**settings)
    spent = time.perf_counter() - start
    if not done.success:
        raise RuntimeError(done.output)
    return spent - planning, sum(planned.jobs.values())


def stages_of(folder: Path) -> list[Stage]:
    """Return each job of a run as a stage of its own, in an order in which each follows its own."""
    took: dict[str, list[float]] = defaultdict(list)
    for file in sorted((folder / "benchmarks").rglob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as stream:
            (row,) = csv.DictReader(stream, delimiter="\t")
        took[file.relative_to(folder / "benchmarks").parts[0]].append(float(row["s"]))
    rules = [rule for rule in ("fingerprint", *AFTER) if rule in took]
    names = {rule: [f"{rule}-{number}" for number in range(len(took[rule]))] for rule in rules}
    return [
        Stage(
            *(name, 1, spent),
            threads=THREADS.get(rule, 1),
            after=tuple(
                waited
                for earlier in AFTER.get(rule, ())
                for waited in _waited(name, names.get(earlier, []), earlier)
            ),
        )
        for rule in rules
        for name, spent in zip(names[rule], took[rule], strict=True)
    ]


def _waited(name: str, earlier: list[str], rule: str) -> list[str]:
    """Return the jobs of a rule that one waits for: its own group's where the rule is of groups."""
    if rule in {"compare_group", "write_matrices", "identify_components"}:
        number = re.search(r"\d+$", name)
        return [each for each in earlier if number and each.endswith(f"-{number[0]}")]
    return earlier
