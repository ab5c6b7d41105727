"""Draw the recipes of a group's models: the weights of parents, block by block."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.lineage import strip_pages, telling


def main(
    *,
    fits: Path,
    proofs: Path | None,
    group: str,
    models: list[str],
    labels: dict[str, str],
    is_published: bool,
    folder: Path,
) -> None:
    """
    Draw each component of each model that is a sum of others, or near to one.

    Parameters
    ----------
    fits
        The group's fits, as fit_recipes writes them.
    proofs
        The group's proofs, whose weights are plain numbers; None where they are not made.
    models
        The group's models in the roster's order; of published matrices none are known here.
    labels
        Model to what it is called.
    is_published
        Whether the group is one of published matrices.
    folder
        Where to write the pictures. Where there is no recipe, a page in it says so.
    """
    told = telling.read(
        fits=fits,
        proofs=proofs,
        claims=None,
        low_rank=None,
        distances=None,
        group=group,
        models=models,
        labels=labels,
        is_published=is_published,
    )
    folder.mkdir(parents=True, exist_ok=True)
    strip_pages.draw_all(told, folder)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fits=Path(snakemake.input.fits),
        proofs=Path(snakemake.input.proofs) if snakemake.input.proofs else None,
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=json.loads(snakemake.params.labels),
        is_published=snakemake.params.is_published,
        folder=Path(snakemake.output.folder),
    )
