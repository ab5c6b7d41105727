"""Write what a group's models were made from: a table, sentences to read, and what pages tell."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import page, tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.lineage import recipe_page, recipe_table, telling


def main(
    *,
    fits: Path,
    proofs: Path | None,
    claims: Path | None,
    low_rank: Path | None,
    distances: Path | None,
    group: str,
    models: list[str],
    labels: dict[str, str],
    is_published: bool,
    stem: Path,
) -> None:
    """
    Write the table of recipes and its readable forms.

    Parameters
    ----------
    fits
        The group's fits, as fit_recipes writes them.
    proofs, claims, low_rank
        The group's tables of these names; None where they are not made.
    distances
        The group's table of distances, by which claimed sums are judged; None where no claims are.
    models
        The group's models in the roster's order; of published matrices none are known here.
    labels
        Model to what it is called.
    is_published
        Whether the group is one of published matrices.
    stem
        Path of the files to write, without their endings: .csv, .md, .html and .json.
    """
    told = telling.read(
        fits=fits,
        proofs=proofs,
        claims=claims,
        low_rank=low_rank,
        distances=distances,
        group=group,
        models=models,
        labels=labels,
        is_published=is_published,
    )
    overview = recipe_page.overview(told)
    texts = {
        ".csv": recipe_table.as_csv(told),
        ".md": page.markdown(*overview),
        ".html": page.html(*overview, contents=True),
        ".json": telling.for_pages(told, overview[1]),
    }
    for ending, text in texts.items():
        tables.write_text(text, stem.with_name(f"{stem.name}{ending}"))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    given = {
        name: Path(place) if (place := snakemake.input.get(name)) else None
        for name in ("proofs", "claims", "low_rank", "distances")
    }
    main(
        fits=Path(snakemake.input.fits),
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=json.loads(snakemake.params.labels),
        is_published=snakemake.params.is_published,
        stem=Path(snakemake.output.table).with_suffix(""),
        **given,
    )
