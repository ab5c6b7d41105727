"""The schedule of 232, 1,000 and 10,000 models on 1 to 64 nodes, simulated from measured rates."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from atlas.basis.shipped import load
from atlas.distances import resources
from atlas.workload.checkpoints import Checkpoint
from atlas.workload.pairs import alike, chosen
from bench.common.lines import Line, seconds
from bench.common.measuring import run
from bench.common.workload import SIXTY_TWO_MILLION, elements, models, scaled
from bench.workflow.real_run import compared
from bench.workflow.schedule_picture import draw
from bench.workflow.simulation import Cluster, Ended, Stage, simulate

FACTS = load("workload/costs")
SDXL = Checkpoint(6940.0, 2515, 3_470_000_000)
NODES = (1, 4, 16, 64)
NODE = Cluster(
    nodes=1,
    cores=32,
    mem_mb=128_000,
    disk_mb=5_000,
    node_mb=1_200,
    submit_seconds=0.1,
    start_seconds=5,
    most_jobs=1000,
)
"""A cluster as many have: 32 cores and 128 GB a node, 10 Gbit/s each, a disk of 5 GB/s for all; ten
submissions a second, five seconds from one to its job's first work, and a thousand jobs at once."""
OTHERWISE = {
    "a hundred jobs at once": replace(NODE, most_jobs=100),
    "a disk and networks ten times as fast": replace(NODE, disk_mb=50_000, node_mb=12_000),
}
"""Clusters that differ in one thing, in words."""
SIZES: dict[str, tuple[int, int, int | None]] = {
    "232 models, 64 shards": (232, 64, None),
    "1,000 models, 256 shards": (1000, 256, None),
    "10,000 models, 256 shards, 50 nearest": (10_000, 256, 50),
    "10,000 models, 256 shards, all pairs": (10_000, 256, None),
}
"""What is simulated: title to models, shards, and nearest others that each is measured against."""


@dataclass(frozen=True)
class Rates:
    """What one core was measured to do, from files in the page cache."""

    fingerprint_mb: float
    """MB (10^6 bytes) fingerprinted a second."""
    content_mb: float
    """MB of contents read, digested and decoded a second by the distances."""
    pair_elements: float
    """Pairs of elements measured a second."""


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Measure the rates, hold the simulator against a real run, and simulate clusters."""
    rates = measured(folder / "rates", quick=quick)
    yield Line("fingerprint, one core", "", f"{rates.fingerprint_mb:,.0f} MB/s")
    yield Line("contents of the distances, one core", "", f"{rates.content_mb:,.0f} MB/s")
    yield Line("pairs of elements, one core", "", f"{rates.pair_elements:.3g} /s")
    run_for_real = compared(folder / "real", models=6 if quick else 24)
    real = run_for_real.real
    for what, simulated in (
        ("simulated beside real makespan", run_for_real.simulated),
        ("the same without Snakemake's time between jobs", run_for_real.without_starts),
    ):
        told = f"{run_for_real.jobs} jobs on 1 node of 2 cores: {what}"
        yield Line(told, seconds(real), seconds(simulated), simulated / real)
    found = simulated_all(rates)
    for title, by_nodes in found.items():
        for nodes, (ended, why) in by_nodes.items():
            told = f"{_long(ended.makespan)}, {ended.core_seconds / 3600:,.0f} core-hours held"
            base = by_nodes[NODES[0]][0].makespan
            speedup = base / ended.makespan
            yield Line(f"{title}; {nodes} nodes ({why})", _long(base), told, speedup)
    for title, size in SIZES.items():
        whole = found[title][NODES[-1]][0].makespan
        for what, cluster in OTHERWISE.items():
            other, why = bounded(*size, rates, replace(cluster, nodes=NODES[-1]))
            told = f"{title}; {NODES[-1]} nodes, {what} ({why})"
            yield Line(told, _long(whole), _long(other.makespan), whole / other.makespan)
    draw(found, folder / "schedule")
    yield Line(f"drawn: {folder / 'schedule.png'}", "", "")


def measured(folder: Path, *, quick: bool) -> Rates:
    """
    Measure what one core does, with models of 62 million parameters, or a tenth of it.

    Seconds are the processor's own, so that what else the machine does counts little; what a
    process takes to start falls out of the difference of two.
    """
    shapes = scaled(SIXTY_TWO_MILLION, 0.1) if quick else SIXTY_TWO_MILLION
    few, many = (4, 12) if quick else (6, 24)
    files = models(folder, many, shapes)
    size_mb = 2 * elements(shapes) / 1e6
    for file in files:  # of an earlier call
        file.with_suffix(".parquet").unlink(missing_ok=True)

    def fingerprints(of: list[Path]) -> float:
        return run("bench.fingerprints.fingerprint", *of, "--threads", 1).cpu

    fingerprints(files[:1])  # compiles
    less, more = fingerprints(files[1:3]), fingerprints(files[3:])
    fingerprint_mb = size_mb * (many - 5) / (more - less)

    def distances(count: int) -> float:
        done = run(
            *("bench.distances.measure_distances", folder, "--models", count, "--threads", 1)
        )
        return float(done.said["cpu_seconds"])

    distances(2)  # compiles the kernel
    one, other = distances(few), distances(many)
    # seconds = contents · a + pairs · b, twice
    pairs_few, pairs_many = few * (few - 1) / 2, many * (many - 1) / 2
    pair = (other - one * many / few) / (pairs_many - pairs_few * many / few)
    content = (one - pairs_few * pair) / few
    return Rates(
        fingerprint_mb=fingerprint_mb,
        content_mb=size_mb / content,
        pair_elements=elements(shapes) / pair,
    )


def stages_of(count: int, shards: int, nearest: int | None, rates: Rates) -> list[Stage]:
    """
    Return the jobs of so many models of Stable Diffusion XL's size, of which nothing is shared.

    Where only nearest models are measured, the group is of 232 of them.
    """
    member = count if nearest is None else min(count, 232)
    member_pairs = member * (member - 1) // 2
    measured = None if nearest is None else count * nearest + member_pairs
    pairs = chosen(alike(count, SDXL), measured, SDXL)
    threads = 2
    share_mb = count * SDXL.size_mb / shards
    measuring = share_mb / rates.content_mb + pairs.elements / shards / rates.pair_elements
    reading = count * FACTS["fingerprint_read_seconds"]
    joined = member_pairs * SDXL.tensors / FACTS["join_rows_per_second"]
    memory = resources.distances_mb(models=count, shards=shards, threads=threads, memory_mb=1000)
    typical = FACTS["typical_seconds"]
    return [
        Stage(
            *("fingerprint", count, SDXL.size_mb / rates.fingerprint_mb, SDXL.size_mb),
            mem_mb=resources.FINGERPRINT_MB,
        ),
        Stage("match_names", 1, reading, after=("fingerprint",)),
        Stage("collect_contents", 1, 4 * reading, after=("match_names",)),
        Stage(
            *("measure_distances", shards, measuring / threads, share_mb, threads),
            mem_mb=min(memory, NODE.mem_mb),
            after=("collect_contents",),
        ),
        Stage(
            *("identify_components", 1, member_pairs * FACTS["identity_pair_seconds"]),
            after=("match_names",),
        ),
        Stage("compare_group", 1, joined, after=("measure_distances",)),
        Stage("write_matrices", 1, typical["write_matrices"], after=("compare_group",)),
        Stage("plot_group", 1, typical["plot_group"], after=("write_matrices",)),
    ]


WITHOUT: dict[str, str] = {
    "reading": "disk",
    "the limit of jobs at once": "jobs",
    "submissions and starts": "submit",
    "the number of shards": "shards",
    "the group's jobs": "group",
    "cores": "cores",
}
"""What may bound a schedule, in words, and by what it is lifted."""


def simulated_all(rates: Rates) -> dict[str, dict[int, tuple[Ended, str]]]:
    """Return, for each roster and number of nodes, the schedule and what bounds it."""
    return {
        title: {nodes: bounded(*size, rates, replace(NODE, nodes=nodes)) for nodes in NODES}
        for title, size in SIZES.items()
    }


def bounded(
    count: int, shards: int, nearest: int | None, rates: Rates, cluster: Cluster
) -> tuple[Ended, str]:
    """Return a schedule, and what bounds it: without that it would be shortened the most."""
    stages = stages_of(count, shards, nearest, rates)
    finer = stages_of(count, 16 * shards, nearest, rates)
    without = {
        words: simulate(*_lifted(how, stages, finer, cluster)).makespan
        for words, how in WITHOUT.items()
    }
    return simulate(stages, cluster), min(without, key=lambda words: without[words])


def _lifted(
    how: str, stages: list[Stage], finer: list[Stage], cluster: Cluster
) -> tuple[list[Stage], Cluster]:
    """Return the jobs and the cluster without one of their bounds."""
    match how:
        case "disk":
            return stages, replace(cluster, disk_mb=inf, node_mb=inf)
        case "jobs":
            return stages, replace(cluster, most_jobs=inf)
        case "submit":
            return stages, replace(cluster, submit_seconds=0.0, start_seconds=0.0)
        case "shards":
            return finer, cluster
        case "group":
            of_group = ("identify_components", "compare_group")
            return [
                replace(stage, seconds=0.0) if stage.name in of_group else stage for stage in stages
            ], cluster
        case _:
            return stages, replace(cluster, cores=16 * cluster.cores, mem_mb=16 * cluster.mem_mb)


def _long(value: float) -> str:
    """Show seconds as minutes, hours or days where they are long."""
    for unit, factor in (("d", 86_400), ("h", 3600), ("min", 60)):
        if value >= 2 * factor:
            return f"{value / factor:,.1f} {unit}"
    return seconds(value)


def main() -> None:
    """Simulate with rates that are given, and draw the picture."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("picture", type=Path, help="its path without a suffix")
    parser.add_argument("--fingerprint-mb", type=float, required=True)
    parser.add_argument("--content-mb", type=float, required=True)
    parser.add_argument("--pair-elements", type=float, required=True)
    given = parser.parse_args()
    start = time.perf_counter()
    found = simulated_all(Rates(given.fingerprint_mb, given.content_mb, given.pair_elements))
    draw(found, given.picture)
    told = {
        title: {nodes: [ended.makespan, why] for nodes, (ended, why) in by_nodes.items()}
        for title, by_nodes in found.items()
    }
    print(json.dumps({"seconds": time.perf_counter() - start, "makespans": told}))


if __name__ == "__main__":
    main()
