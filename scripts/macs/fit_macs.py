"""Fit exact formulas to what architectures cost at a few small sizes."""

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import files, formulas


def main(*, sources: Mapping[str, str], stated: Mapping[str, str], table: Path) -> None:
    """
    Write the formulas of all architectures; of one that can't be read, its problem.

    Parameters
    ----------
    sources
        Name to an entry of config/architectures, a YAML file, a checkpoint, a diffusers folder,
        or a repository on the hub.
    stated
        Name to the entry that a checkpoint's architecture is said to be.
    table
        The CSV file to write.
    """
    from atlas.macs import fitting

    known, rows = fitting.Known(), []
    for name, source in sources.items():
        logging.info("fitting %s", name)
        try:
            entry = catalogue.load(source, name=name, stated=stated.get(name))
            found = list(fitting.formulas(entry, known))
        except AtlasError as error:
            logging.error("%s has no formulas: %s", name, error)
            rows.append(formulas.failed(name, str(error)))
            continue
        rows += [row for formula in found for row in formulas.rows(name, formula)]
    files.write(table, formulas.COLUMNS, rows)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        sources=json.loads(snakemake.params.architectures),
        stated=snakemake.params.stated,
        table=Path(snakemake.output.table),
    )
