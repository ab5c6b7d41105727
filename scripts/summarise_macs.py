"""Add the profiles up to what an image costs, and say what to know in a few sentences."""

from collections.abc import Mapping
from pathlib import Path

from atlas.architectures import catalogue
from atlas.macs import pages, summary, tables
from atlas.macs.summary import Sampling
from atlas.tables import write_text
from atlas.workflow import configure_logging


def main(
    *,
    entries: Mapping[str, str],
    sampling: Sampling,
    folder: Path,
    as_published: Path,
    summary_stem: Path,
    counters: Path,
    findings: Path,
) -> None:
    """Write the summary in three formats, all counters in one table, and the findings."""
    rows, counted = [], []
    for name, entry in entries.items():
        profile = tables.read(folder / f"{name}.csv")
        rows += summary.rows(catalogue.load(entry), profile, sampling)
        counted += tables.read(folder / f"{name}.counters.csv")
    published = tables.read(as_published)
    told = summary.findings(rows, counted, published)
    parts = pages.sections(rows, counted, published)
    tables.write(summary_stem.with_suffix(".csv"), summary.COLUMNS, rows)
    tables.write(counters, tables.COUNTERS, counted)
    write_text(pages.markdown(told, parts), summary_stem.with_suffix(".md"))
    write_text(pages.html(told, parts), summary_stem.with_suffix(".html"))
    write_text("\n".join(told) + "\n", findings)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        entries=snakemake.params.entries,
        sampling=Sampling(snakemake.params.steps, snakemake.params.guidance),
        folder=Path(snakemake.input.profiles[0]).parent,
        as_published=Path(snakemake.input.as_published),
        summary_stem=Path(snakemake.output.csv).with_suffix(""),
        counters=Path(snakemake.output.counters),
        findings=Path(snakemake.output.findings),
    )
