"""Draw how far blocks and tensors of two models are apart."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots.drawing import draw_all


def main(
    *, table: Path, blocks: Path, models: tuple[str, str], labels: dict[str, str], stem: Path
) -> None:
    """
    Draw every kind of picture of a pair.

    Parameters
    ----------
    table, blocks
        The pair's tables of tensors and of blocks, as compare_pair writes them.
    models
        The two models' ids, in the order of the table.
    labels
        Model to what it is called in plots.
    stem
        Path of the pictures to write, without their endings.
    """
    a, b = (labels[model] for model in models)
    draw_all("pair", pq.read_table(table), pq.read_table(blocks), a=a, b=b, stem=stem)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        blocks=Path(snakemake.input.blocks),
        models=(snakemake.wildcards.a, snakemake.wildcards.b),
        labels=json.loads(snakemake.params.labels),
        stem=Path(snakemake.input.table).with_suffix(""),
    )
