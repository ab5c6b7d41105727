"""
Snakemake, with a cluster on which all jobs succeed at once: `python pretended_cluster.py ...`.

Plans, schedules and submits as ever, through the plugin for SLURM and an `sbatch` that stands in;
only what jobs make is made up: empty files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

PLAN = """\
quantity,of,value,unit,how
mem_mb,generate_activations,3000,MB,
disk_mb,generate_activations,2000,MB,
runtime,generate_activations,45,min,
mem_mb,embed_activations,6000,MB,
disk_mb,embed_activations,100,MB,
runtime,embed_activations,20,min,
"""
ENCODERS = '{"encoders": [{"parameters": 123000000}]}'
CONTENTS = {"plan.csv": PLAN, "encoders.json": ENCODERS}
"""Files that earlier jobs make and from which it is read what later ones need."""


async def all_succeed(executor: Any, active_jobs: list[Any]) -> AsyncIterator[Any]:
    """Make what the active jobs should have made, and report them as done; none goes on."""
    for submitted in active_jobs:
        for job in submitted.job.jobs if submitted.job.is_group() else [submitted.job]:
            make_outputs(job)
        executor.report_job_success(submitted)
    executor.next_seconds_between_status_checks = 0.05
    for _ in ():
        yield


def make_outputs(job: Any) -> None:
    """Write the output and the benchmark of a job, as empty as they may be."""
    for output in [*job.output, *([job.benchmark] if job.benchmark else [])]:
        path = Path(output)
        if getattr(output, "is_directory", False):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(CONTENTS.get(path.name, ""))


if __name__ == "__main__":
    Executor.check_active_jobs = all_succeed
    main()
