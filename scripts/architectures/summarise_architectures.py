"""Tables of all architectures: summary, memory, blocks, and a published table made again."""

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import documents, modes, portraits, rows
from atlas.architectures.pool import surveys
from atlas.architectures.survey import Failure
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging


def main(
    *,
    sources: Mapping[str, str],
    stated: Mapping[str, str],
    sides: Sequence[int],
    folder: Path,
    threads: int,
) -> None:
    """
    Survey the architectures on the meta device and write all tables to a folder.

    One that can't be surveyed has its reason in the summary and in place of its diagram, and a
    table of blocks without rows.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    sides
        Sides in pixels of square images whose memory is told, beside the native ones.
    folder
        Where to write the tables.
    """
    made, published = surveys(sources, stated=stated, sides=sides, threads=threads)
    found = [each for each in made if not isinstance(each, Failure)]
    summary, memory, needs = rows.summary(made), rows.memory(found), modes.rows(found)
    parts, problems = documents.sections(summary, memory, needs), documents.problems(summary)
    write_csv(summary, folder / "summary.csv")
    write_csv(memory, folder / "memory.csv")
    write_csv(needs, folder / "modes.csv")
    write_csv(published, folder / "as_published.csv")
    for suffix, form in (("md", page.markdown), ("html", page.html)):
        text = form(documents.TITLE, problems, parts)
        tables.write_text(text, folder / f"summary.{suffix}")
    for survey in found:
        name = survey.architecture.name
        write_csv(rows.blocks(survey), folder / f"{name}.blocks.csv")
        tables.write_text(portraits.write(rows.portrait(survey)), folder / f"{name}.json")
    for failure in (each for each in made if isinstance(each, Failure)):
        columns = list(rows.blocks(found[0])[0])
        write_csv([], folder / f"{failure.name}.blocks.csv", columns)
        missing = portraits.Missing(failure.name, failure.problem)
        tables.write_text(portraits.write(missing), folder / f"{failure.name}.json")


def write_csv(records: list[rows.Row], path: Path, columns: Sequence[str] = ()) -> None:
    """Write rows that have the same keys, which name the columns; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    tables.write_text(text.getvalue(), path)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        sides=snakemake.params.sides,
        folder=Path(snakemake.output.summary).parent,
        threads=snakemake.threads,
    )
