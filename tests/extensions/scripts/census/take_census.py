"""Take a census of the roster's models."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.census import taking

from atlas.basis.workflow import command_line, configure_logging


def main(*, table: Path, census: Path) -> None:
    """Write each model once."""
    taking.take(table, census)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.input.table), census=Path(snakemake.output.census))
