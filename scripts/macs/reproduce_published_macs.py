"""Make the published table of MACs again, under its own assumptions and right."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import published
from atlas.macs.files import write


def main(*, table: Path) -> None:
    """
    Write the table; a row that does not come out as printed is told.

    Parameters
    ----------
    table
        The CSV file to write.
    """
    rows = published.rows()
    for row in rows:
        if not row["agrees"]:
            logging.warning("%s does not come out as published", row["model"])
    write(table, list(rows[0]), rows)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.output.table))
