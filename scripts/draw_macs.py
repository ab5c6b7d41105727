"""Draw what images cost, where in the denoisers, how it grows, and the published ranking."""

from collections.abc import Iterable
from pathlib import Path

from atlas.macs import pictures, tables
from atlas.workflow import configure_logging


def main(
    *, names: Iterable[str], profiles: Path, summary: Path, as_published: Path, folder: Path
) -> None:
    """Draw all pictures as SVG and PNG."""
    pictures.draw_all(
        tables.read(summary),
        {name: tables.read(profiles / f"{name}.csv") for name in names},
        tables.read(as_published),
        folder,
    )


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        names=snakemake.params.names,
        profiles=Path(snakemake.input.profiles[0]).parent,
        summary=Path(snakemake.input.summary),
        as_published=Path(snakemake.input.as_published),
        folder=Path(snakemake.output.folder),
    )
