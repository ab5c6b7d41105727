"""Tell what a run takes, before it is begun: jobs, pairs, hours, memory, disk."""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.workload import earlier, report
from atlas.workload.batches import from_plain
from atlas.workload.planning import planned


def main(
    *,
    jobs: list[dict[str, Any]],
    roster: dict[str, Any],
    results: Path,
    benchmarks: Path,
) -> None:
    """
    Print the plan of a run, and write it as a table and as a page: plan.csv and plan.md.

    Parameters
    ----------
    jobs
        Batches of jobs as the rules declare them, in plain values.
    roster
        What there is to compare, in plain values; see `atlas.workload.planning`.
    results
        The folder of the workflow's results: fingerprints are read there, and the plan is written.
    benchmarks
        The folder of what earlier jobs took.
    """
    plan = planned(from_plain(jobs), roster, results=results, earlier=earlier.seconds(benchmarks))
    tables.write_text(report.table(plan), results / "plan.csv")
    tables.write_text(report.page(plan), results / "plan.md")
    print(report.text(plan), flush=True)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        jobs=json.loads(snakemake.params.jobs),
        roster=json.loads(snakemake.params.roster),
        results=Path(snakemake.params.results),
        benchmarks=Path(snakemake.params.benchmarks),
    )
