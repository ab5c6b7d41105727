"""Measure what share of a GPU's speed the forwards of an SDXL and of a DiT achieve."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue
from atlas.basis.workflow import configure_logging
from atlas.macs import measuring
from atlas.macs.files import write


def main(*, names: Sequence[str], table: Path) -> None:
    """Write the table of speeds."""
    write(table, measuring.COLUMNS, measuring.measure([catalogue.load(name) for name in names]))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(names=snakemake.params.architectures, table=Path(snakemake.output.table))
