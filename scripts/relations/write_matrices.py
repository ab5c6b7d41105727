"""Write a labelled matrix per component and measure, one of the coverage, and pages of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import group_matrices, matrices, matrix_pages
from atlas.relations.groups import ALL


def main(*, table: Path, models: list[str], measures: list[str], folder: Path) -> None:
    """
    Write {component}.{measure}.csv and a page of them for every component of the group's models.

    Of a group without any, a page says so: all.html.

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
    measures = list(dict.fromkeys(["l2", *measures, group_matrices.COVERAGE]))
    components = group_matrices.components(table)
    for component in components:  # one at a time, as each has all pairs
        frame = group_matrices.read_totals(table, component, measures)
        found = [
            group_matrices.matrix(frame, models, component=component, measure=measure)
            for measure in measures
        ]
        stem = matrices.stem_of(component)
        for matrix in found:
            matrices.write(matrix, folder / f"{stem}.{matrix.measure}.csv")
        told = matrix_pages.content(found)
        tables.write_text(page.html(*told), folder / f"{stem}.html")
    if not components:
        told = matrix_pages.nothing(len(models))
        tables.write_text(page.html(*told), folder / f"{ALL}.html")


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
