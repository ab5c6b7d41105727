"""Draw which models of a group share which components."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots import sharing, style


def main(
    *,
    table: Path,
    group: str,
    models: list[str],
    labels: dict[str, str],
    base: str | None,
    picture: Path,
) -> None:
    """
    Draw the identity table.

    Parameters
    ----------
    table
        The identity table, as identify_components writes it.
    models
        The group's models in the roster's order.
    labels
        Model to what it is called in plots.
    base
        The model that is marked as the others' base.
    picture
        The picture to write, as .png and as .svg.
    """
    frame = pd.read_csv(table, dtype={"a": str, "b": str})
    figure = sharing.draw(frame, group=group, models=models, labels=labels, base=base)
    style.save(figure, picture.with_suffix(""))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=snakemake.params.labels,
        base=snakemake.params.base,
        picture=Path(snakemake.output.picture),
    )
