"""Add the profiles up to what an image costs, and say what to know in a few sentences."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue, sizes
from atlas.basis import page
from atlas.basis.tables import write_text
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import files, findings, pages, summary
from atlas.macs.words import Words


def main(
    *,
    sources: Mapping[str, str],
    stated: Mapping[str, str],
    settings: Mapping[str, Any],
    given: Mapping[str, int | None] | None = None,
    folder: Path,
    as_published: Path,
    checks: Path,
    summary_stem: Path,
    counters: Path,
    found: Path,
) -> None:
    """
    Write the summary in three formats, all counters in one table, and the findings.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    settings
        What was asked for: `macs` of the settings, from the resolutions to the guidance.
    given
        The settings `frames`, `references` and `reference_pixels`.
    folder
        The architectures' profiles, as profile_macs writes them.
    as_published
        The published table that reproduce_published_macs writes.
    checks
        The single figures of others that it writes.
    summary_stem
        The summary to write, without the suffix: .csv, .md and .html.
    counters
        The CSV file of counters to write.
    found
        The text file of findings to write.
    """
    words = Words.of(settings)
    rows, counted = [], []
    for name, source in sources.items():
        profile = files.read(folder / f"{name}.csv")
        if profile[0]["component"]:
            entry = catalogue.load(source, name=name, stated=stated.get(name))
            rows += summary.rows(sizes.chosen(entry, **(given or {})), profile, words.sampling)
        else:
            rows.append(summary.failed(name, profile[0]["problem"]))
        counted += files.read(folder / f"{name}.counters.csv")
    published = files.read(as_published)
    told = findings.findings(rows, counted, published, words)
    parts = pages.sections(rows, counted, published, files.read(checks), words)
    files.write(summary_stem.with_suffix(".csv"), summary.COLUMNS, rows)
    files.write(counters, files.COUNTERS, counted)
    for suffix, form in ((".md", page.markdown), (".html", page.html)):
        write_text(form(pages.TITLE, told, parts), summary_stem.with_suffix(suffix))
    write_text("\n".join(told) + "\n", found)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        settings=snakemake.params.settings,
        given=snakemake.params.given,
        folder=Path(snakemake.input.profiles[0]).parent,
        as_published=Path(snakemake.input.as_published),
        checks=Path(snakemake.input.checks),
        summary_stem=Path(snakemake.output.csv).with_suffix(""),
        counters=Path(snakemake.output.counters),
        found=Path(snakemake.output.findings),
    )
