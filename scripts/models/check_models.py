"""Fail with one clear message where a checkpoint of the roster could not be read."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.models.ending import problems_in, unreadable


def main(*, table: Path) -> None:
    """
    Raise AtlasError that lists every unreadable model or component and what is wrong with it.

    Weights that are refused for their form, as quantised ones, are no fault of a file: models.md
    tells of them, and the run succeeds where the rest of the file was read.

    Parameters
    ----------
    table
        The models, as describe_models writes them.
    """
    problems, count = problems_in(table)
    if problems:
        raise AtlasError(unreadable(problems, of=count))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.input.table))
