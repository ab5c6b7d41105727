"""Draw the histograms of per-tensor distances between two models."""

from pathlib import Path

import pyarrow.parquet as pq

from atlas.plots import histograms, style
from atlas.workflow import configure_logging


def main(*, table: Path, models: tuple[str, str], labels: dict[str, str], picture: Path) -> None:
    """Draw one histogram per role."""
    a, b = (labels[model] for model in models)
    style.save(histograms.draw(pq.read_table(table), a=a, b=b), picture.with_suffix(""))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        models=(snakemake.wildcards.a, snakemake.wildcards.b),
        labels=snakemake.params.labels,
        picture=Path(snakemake.output.picture),
    )
