"""Draw which models of a group share which components."""

import json
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots import notice, style
from atlas.plots.drawing import draw_all
from atlas.relations.groups import nothing_to_compare


def main(
    *,
    table: Path,
    group: str,
    models: list[str],
    labels: dict[str, str],
    base: str | None,
    stem: Path,
) -> None:
    """
    Draw the identity table; where it is empty, write a sentence in its place.

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
    stem
        Path of the pictures to write, without their endings.
    """
    # Names stay names: an id or a component may be "null", which pandas would take for missing.
    frame = pd.read_csv(table, dtype={"a": str, "b": str}, keep_default_na=False)
    if frame.empty:
        style.save(notice.draw(group, nothing_to_compare(len(models))), stem)
        return
    facts = {"group": group, "models": models, "labels": labels, "base": base}
    draw_all("identity", frame, stem=stem, **facts)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        table=Path(snakemake.input.table),
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=json.loads(snakemake.params.labels),
        base=snakemake.params.base,
        stem=Path(snakemake.input.table).with_suffix(""),
    )
