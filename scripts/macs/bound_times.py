"""Bound the times of images on GPUs from below, and say whether they fit."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page
from atlas.basis.tables import write_text
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import bounds, devices, files, subjects


def main(
    *,
    sources: Mapping[str, str],
    stated: Mapping[str, str],
    formulas: Path,
    gpus: Sequence[str] | str,
    measured: Path | None,
    table: Path,
    markdown: Path,
) -> None:
    """
    Write a row per architecture and GPU, at each architecture's own size, steps and guidance.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    formulas
        The table that fit_macs writes.
    gpus
        Names of config/devices.yaml, or `all`.
    measured
        The table that measure_macs writes, where a GPU was at hand.
    table
        The CSV file to write.
    markdown
        The same for people.
    """
    known = subjects.load(sources, stated, files.read(formulas))
    seen = files.read(measured) if measured else []
    chosen = devices.chosen(gpus)
    rows = [row for each in known for row in bounds.rows(each, chosen, seen)]
    files.write(table, bounds.COLUMNS, rows)
    write_text(page.markdown(bounds.TITLE, [], bounds.sections(rows, chosen)), markdown)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        formulas=Path(snakemake.input.formulas),
        gpus=snakemake.params.devices,
        measured=Path(snakemake.input.measured) if snakemake.input.measured else None,
        table=Path(snakemake.output.table),
        markdown=Path(snakemake.output.markdown),
    )
