"""Tables of all architectures: summary, memory, blocks, and a published table made again."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from atlas import tables
from atlas.architectures import documents, pieces, rows
from atlas.architectures.surveying import surveys
from atlas.workflow import configure_logging


def main(*, architectures: Sequence[str], sides: Sequence[int], folder: Path, threads: int) -> None:
    """Survey the architectures on the meta device and write all tables to a folder."""
    found, published = surveys(architectures, sides=sides, threads=threads)
    summary, memory = rows.summary(found), rows.memory(found)
    page = documents.sections(summary, memory)
    write_csv(summary, folder / "summary.csv")
    write_csv(memory, folder / "memory.csv")
    write_csv(published, folder / "as_published.csv")
    tables.write_text(documents.markdown(page), folder / "summary.md")
    tables.write_text(documents.html(page), folder / "summary.html")
    for survey in found:
        name = survey.architecture.name
        write_csv(rows.blocks(survey), folder / f"{name}.blocks.csv")
        tables.write_text(pieces.write(rows.portrait(survey)), folder / f"{name}.json")


def write_csv(records: list[rows.Row], path: Path) -> None:
    """Write rows that have the same keys; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    tables.write_text(text.getvalue(), path)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        architectures=snakemake.params.architectures,
        sides=snakemake.params.sides,
        folder=Path(snakemake.output.summary).parent,
        threads=snakemake.threads,
    )
