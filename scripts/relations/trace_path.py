"""Trace the path of an ordered group's models: steps, turns, and how straight it is."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import paths


def main(*, folder: Path, group: str, imported: bool, table: Path) -> None:
    """
    Write a row per component and step; none where no two models could be compared.

    Parameters
    ----------
    folder
        The group's matrices.
    imported
        Whether they are published ones, whose zeros may mean never compared.
    table
        The CSV file to write.
    """
    found = [paths.read(file, group=group, imported=imported) for file in paths.files(folder)]
    traced = [paths.table(**measured) for measured in found]
    told = [steps for steps in traced if not steps.empty]
    frame = pd.concat(told) if told else pd.DataFrame(columns=paths.COLUMNS)
    tables.write_text(frame.to_csv(index=False), table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        folder=Path(snakemake.input.matrices),
        group=snakemake.wildcards.group,
        imported=snakemake.params.imported,
        table=Path(snakemake.output.table),
    )
