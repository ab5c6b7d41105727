"""Fail with one clear message where a checkpoint of the roster could not be read."""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.models.ending import unreadable


def main(*, table: Path) -> None:
    """
    Raise AtlasError that lists every unreadable model and what is wrong with it.

    Parameters
    ----------
    table
        The models, as describe_models writes them.
    """
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if problems := {row["model"]: row["problem"] for row in rows if row["problem"]}:
        raise AtlasError(unreadable(problems, of=len({row["model"] for row in rows})))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.input.table))
