"""Plan a dataset of activations: what it will take, before it is begun."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import datasets, opening, plan_files
from atlas.activations.plan import planned
from atlas.activations.plan_room import require_room
from atlas.activations.plan_summary import told
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging


def main(*, dataset: dict[str, Any], plan: Path, summary: Path, record: Path) -> None:
    """
    Write a plan, its summary, and what the settings say of the dataset.

    Parameters
    ----------
    dataset
        What the settings say, in plain values.
    plan
        The CSV file of the plan to write.
    summary
        The text file to write that says it in a few lines.
    record
        The JSON file to write: the dataset, for the jobs that make it.
    """
    declared = datasets.from_plain(dataset)
    probes = {model: opening.probe_of(declared, model) for model in declared.models}
    made = planned(probes, declared)
    require_room(made, declared, plan.parent)
    text = told(made, declared)
    plan_files.write(made.rows, plan)
    tables.write_text(text, summary)
    tables.write_text(json.dumps(declared.plain(), indent=1) + "\n", record)
    logging.info("%s", text)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        dataset=json.loads(snakemake.params.dataset),
        plan=Path(snakemake.output.plan),
        summary=Path(snakemake.output.summary),
        record=Path(snakemake.output.dataset),
    )
