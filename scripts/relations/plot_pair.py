"""Draw the histograms of per-tensor distances between two models."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import configure_logging
from atlas.plots.drawing import draw_all


def main(*, table: Path, models: tuple[str, str], labels: dict[str, str], picture: Path) -> None:
    """Draw every kind of picture of a pair."""
    a, b = (labels[model] for model in models)
    draw_all("pair", pq.read_table(table), a=a, b=b, stem=picture.with_suffix(""))


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        models=(snakemake.wildcards.a, snakemake.wildcards.b),
        labels=snakemake.params.labels,
        picture=Path(snakemake.output.picture),
    )
