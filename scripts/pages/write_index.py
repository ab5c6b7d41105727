"""Write the page that leads to all others."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.models.ending import problems_in
from atlas.pages import index_page


def main(
    *,
    roster: str,
    groups: Sequence[dict[str, Any]],
    models: Path | None,
    labels: dict[str, str],
    others: Sequence[tuple[str, str, str]],
    page: Path,
) -> None:
    """
    Write the page; what it leads to lies beside it.

    Parameters
    ----------
    roster
        What the list of models is called.
    groups
        As JSON, for each group what `index_page.Group` holds.
    models
        The models, as describe_models writes them; None where there are none.
    labels
        Model to what it is called in plots.
    others
        As JSON, further pages: path, what it is about, title.
    page
        The HTML file to write.
    """
    problems, count = problems_in(models) if models else ({}, 0)
    index_page.write(
        page,
        roster=roster,
        groups=[index_page.Group(**told) for told in groups],
        models=count,
        problems=problems,
        labels=labels,
        others=[index_page.Other(Path(path), wing, title) for path, wing, title in others],
    )


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        roster=json.loads(snakemake.params.roster),
        groups=json.loads(snakemake.params.groups),
        models=Path(snakemake.input.models) if snakemake.input.models else None,
        labels=json.loads(snakemake.params.labels),
        others=json.loads(snakemake.params.others),
        page=Path(snakemake.output.page),
    )
