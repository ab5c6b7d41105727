"""Count the tensors of all models."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging


def main(*, table: Path, total: Path) -> None:
    """Write how many there are."""
    tables.write_text(f"{pd.read_csv(table)['tensors'].sum():.0f}\n", total)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.input.table), total=Path(snakemake.output.total))
