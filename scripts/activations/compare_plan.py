"""Hold the plan of a dataset against what its jobs took."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import measured, plan_files
from atlas.basis.workflow import command_line, configure_logging


def main(
    *, plan: Path, records: list[Path], made: list[Path], embedding: Path | None, table: Path
) -> None:
    """
    Write each figure of a plan that was measured, with the ratio and whether it holds.

    Parameters
    ----------
    plan
        The CSV file of the plan.
    records
        The JSON files that chunks leave: what they took.
    made
        Files made of all chunks, such as umap.csv and viewer.html.
    embedding
        The JSON file in which the embedding tells what it took; None tells nothing.
    table
        The CSV file to write.
    """
    found = measured.compared(
        plan_files.rows(plan),
        [measured.read_record(record) for record in records],
        sizes={file.name: file.stat().st_size for file in made},
        embedding_mb=None if embedding is None else measured.read_peak(embedding),
    )
    for each in found:
        if not each.is_within and each.kind != "guess":
            logging.warning(
                "%s of %s: planned %s %s, took %s", each.quantity, each.of, f"{each.planned:,.0f}",
                each.unit, f"{each.measured:,.0f}",
            )  # fmt: skip
    measured.write(found, table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        plan=Path(snakemake.input.plan),
        records=[Path(record) for record in snakemake.input.records],
        made=[Path(file) for file in snakemake.input.made],
        embedding=Path(snakemake.input.embedding),
        table=Path(snakemake.output.table),
    )
