"""Measure what share of a GPU's speed the forwards of an SDXL and of a DiT achieve."""

from pathlib import Path

from atlas.architectures import catalogue
from atlas.macs import measuring
from atlas.macs.tables import write
from atlas.workflow import configure_logging

MEASURED = ["sdxl", "sd3_medium"]
"""A UNet and a transformer that fit a GPU of 8 GB."""


def main(*, table: Path) -> None:
    """Write the table of speeds."""
    write(table, measuring.COLUMNS, measuring.measure([catalogue.load(name) for name in MEASURED]))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(table=Path(snakemake.output.table))
