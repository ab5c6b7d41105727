"""Take a published matrix file in the notebook's format as a group without checkpoints."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.relations import group_matrices, matrices, matrix_pages, notebook


def main(*, published: Path, group: str, table: Path, folder: Path) -> None:
    """
    Write the same tables as for a group with checkpoints, as far as the file tells.

    Parameters
    ----------
    published
        The JSON file in the notebook's format.
    table
        The tidy table to write.
    folder
        Where to write the matrices.
    """
    found = notebook.matrices(notebook.read(published), group=group)
    logging.info("%s: components %s", published, ", ".join(sorted(found)))
    folder.mkdir(parents=True, exist_ok=True)
    for component, matrix in found.items():
        matrices.write(matrix, folder / f"{component}.l2.csv")
        told = matrix_pages.content([matrix])
        tables.write_text(page.html(*told), folder / f"{component}.html")
    tables.write(group_matrices.tidy(list(found.values())), table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        published=Path(snakemake.input.notebook),
        group=snakemake.wildcards.group,
        table=Path(snakemake.output.table),
        folder=Path(snakemake.output.folder),
    )
