"""Write a labelled matrix per component and measure, and one of the coverage."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import group_matrices, matrices
from atlas.relations.groups import total_rows


def main(*, table: Path, models: list[str], measures: list[str], folder: Path) -> None:
    """
    Write {component}.{measure}.csv for every component that the group's models hold.

    Parameters
    ----------
    table
        The group's tidy table, as compare_group writes it.
    models
        The models' ids in the order of the rows and columns.
    measures
        Measures to write beside l2 and the coverage.
    folder
        Where to write the matrices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    totals = [("block", "=", "*"), ("role", "=", "*")]
    frame = total_rows(pd.read_parquet(table, filters=totals))
    for component in group_matrices.components(frame):
        for measure in dict.fromkeys(["l2", *measures, group_matrices.COVERAGE]):
            matrix = group_matrices.matrix(frame, models, component=component, measure=measure)
            matrices.write(matrix, folder / f"{component}.{measure}.csv")


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        models=snakemake.params.models,
        measures=snakemake.params.measures,
        folder=Path(snakemake.output.folder),
    )
