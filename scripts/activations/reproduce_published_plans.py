"""Make published resource tables of activation datasets again: as they were, and right."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.activations import published, published_page
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging


def main(*, table: Path, page: Path) -> None:
    """
    Write the table and a page to read.

    Parameters
    ----------
    table
        The CSV file to write.
    page
        The Markdown file to write.
    """
    rows = published.rows()
    for finding in published_page.findings(rows):
        logging.info("%s", finding)
    tables.write_text(published_page.csv_text(rows), table)
    tables.write_text(published_page.page_text(rows), page)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.output.table), page=Path(snakemake.output.page))
