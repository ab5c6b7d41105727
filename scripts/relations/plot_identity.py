"""Draw which models of a group share which components."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import configure_logging
from atlas.plots.drawing import draw_all


def main(
    *,
    table: Path,
    group: str,
    models: list[str],
    labels: dict[str, str],
    base: str | None,
    picture: Path,
) -> None:
    """Draw the identity table."""
    frame = pd.read_csv(table, dtype={"a": str, "b": str})
    facts = {"group": group, "models": models, "labels": labels, "base": base}
    draw_all("identity", frame, stem=picture.with_suffix(""), **facts)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=snakemake.params.labels,
        base=snakemake.params.base,
        picture=Path(snakemake.output.picture),
    )
