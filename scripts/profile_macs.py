"""Profile the MACs of architectures on the meta device: a table for each, and other counters'."""

import logging
from collections.abc import Mapping
from pathlib import Path

from atlas.architectures import catalogue
from atlas.macs import request
from atlas.macs.request import Request
from atlas.macs.tables import COUNTERS, PROFILE, write
from atlas.workflow import configure_logging


def main(*, asked: Request, entries: Mapping[str, str], folder: Path) -> None:
    """Profile all entries; torch is imported once for all, which costs more than a profile."""
    architectures = [catalogue.load(entry) for entry in entries.values()]
    request.check(architectures, asked)
    from atlas.macs import profile

    known = profile.Known()
    for name, architecture in zip(entries, architectures, strict=True):
        logging.info("profiling %s", name)
        rows, compared = profile.rows(architecture, asked, known)
        write(folder / f"{name}.csv", PROFILE, rows)
        write(folder / f"{name}.counters.csv", COUNTERS, compared)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        asked=Request.of(
            snakemake.params.resolutions, snakemake.params.batch, snakemake.params.text_length
        ),
        entries=snakemake.params.entries,
        folder=Path(snakemake.output[0]).parent,
    )
