"""Make a published table of MACs again, and count single figures that others have published."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import cross_checks, published
from atlas.macs.files import write


def main(*, table: Path, checks: Path) -> None:
    """
    Write both tables; a row that does not come out as printed is told.

    Parameters
    ----------
    table
        The CSV file of the published table to write.
    checks
        The CSV file of single figures to write.
    """
    rows = published.rows()
    for row in rows:
        if not row["agrees"]:
            logging.warning("%s does not come out as published", row["model"])
    write(table, list(rows[0]), rows)
    figures = cross_checks.rows()
    for figure in figures:
        if not figure["agrees"]:
            logging.warning("%(who)s's figure of %(architecture)s does not come out", figure)
    write(checks, list(figures[0]), figures)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.output.table), checks=Path(snakemake.output.checks))
