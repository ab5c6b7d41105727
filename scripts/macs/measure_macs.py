"""Measure what share of a GPU's speed the forwards of an SDXL and of a DiT achieve."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures import catalogue
from atlas.basis.workflow import configure_logging
from atlas.macs import measuring
from atlas.macs.files import write

MEASURED = ["sdxl", "sd3_medium"]
"""A UNet and a transformer that fit a GPU of 8 GB."""


def main(*, table: Path) -> None:
    """Write the table of speeds."""
    write(table, measuring.COLUMNS, measuring.measure([catalogue.load(name) for name in MEASURED]))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(table=Path(snakemake.output.table))
