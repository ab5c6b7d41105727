"""Write the page of a group: every model and every two of them, in one file."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.pages import atlas_page, cards, group_files, pair_parts
from atlas.relations import identity_text


def main(
    *,
    matrix_folder: Path,
    measures: list[str],
    measure: str,
    group: str,
    models: list[str],
    labels: dict[str, str],
    roster: dict[str, dict[str, Any]],
    base: str | None,
    ordered: bool,
    imported: bool,
    linked: bool,
    table: Path | None,
    noticed: Path | None,
    identity: Path | None,
    pair_files: pair_parts.Files | None,
    path: Path | None,
    recipes: Path | None,
    most_pairs: int,
    page: Path,
) -> None:
    """
    Write the page.

    Parameters
    ----------
    matrix_folder
        The group's matrices.
    measures
        Those that the page has.
    measure
        The one that is shown first.
    models
        The group's models in the roster's order; of published matrices none are known here.
    labels
        Model to what it is called.
    roster
        Model to `path`, `tags`, `base` and `recipe`.
    base
        The model that others are believed to come from.
    ordered
        Whether the models stand in the order of their making.
    imported
        Whether the matrices are published ones: then there are no other tables.
    linked
        Whether each pair of the group has files of its own.
    table, noticed
        The group's table of models, and what is said of each.
    identity
        The group's identity table.
    pair_files
        What tells of pairs; None for published matrices, as are the tables before.
    path
        The steps of a group in the order of its making.
    recipes
        What is told of the models' making, as write_recipes has it for other pages.
    most_pairs
        So many pairs are told in full.
    page
        The HTML file to write.
    """
    found = group_files.matrices(
        matrix_folder,
        measures,
        group=group,
        models=models,
        labels=labels,
        base=base,
        ordered=ordered,
        imported=imported,
    )
    first = next(iter(found.values()))[0]
    facts = {model: roster.get(model, group_files.NO_FACTS) for model in first.ids}
    sentences, of_models = group_files.recipes(recipes) if recipes else ([], {})
    blank = {model: atlas_page.Card() for model in first.ids}
    told = atlas_page.Group(
        matrices=found,
        cards=cards.with_recipes(blank, of_models),
        title=group_files.title(group, len(first)),
        subtitle=group_files.subtitle(found, base=labels.get(base or ""), ordered=ordered),
        measure=measure,
        findings=group_files.PUBLISHED if imported else (),
        recipes=sentences,
        recipe_links=group_files.RECIPE_LINKS if recipes else (),
    )
    if table and identity and noticed and pair_files:
        frame = group_files.models(table)
        pairs = group_files.identity(identity)
        places = cards.standings(pairs, first.ids)
        found_of = json.loads(noticed.read_text(encoding="utf-8"))
        held = cards.cards(frame, found_of, places, facts, pages="../../models")
        held = cards.with_recipes(held, of_models)
        leader = next(iter(found))
        overview = identity_text.overview(pairs, group=group, models=models, labels=labels)
        told = replace(
            told,
            cards=held,
            findings=overview[1],
            facets=cards.facets(held, places, leader, frame),
            links=group_files.LINKS,
        )
        told = pair_parts.added(
            told, pair_files, identity=pairs, most=most_pairs, are_linked=linked
        )
    if path is not None:
        told = replace(told, paths=group_files.paths(path, first.ids))
    atlas_page.write(page, told)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    given = {
        name: Path(place) if (place := snakemake.input.get(name)) else None
        for name in ("table", "noticed", "identity", "path", "recipes")
    }
    of_pairs = [snakemake.input.get(name) for name in ("distances", "tensors", "spread")]
    main(
        matrix_folder=Path(snakemake.input.matrices),
        measures=snakemake.params.measures,
        measure=snakemake.params.measure,
        group=snakemake.wildcards.group,
        models=snakemake.params.models,
        labels=json.loads(snakemake.params.labels),
        roster=json.loads(snakemake.params.roster),
        base=snakemake.params.base,
        ordered=snakemake.params.ordered,
        imported=snakemake.params.imported,
        linked=snakemake.params.linked,
        most_pairs=snakemake.params.most_pairs,
        page=Path(snakemake.output.page),
        pair_files=pair_parts.Files(*map(Path, of_pairs)) if all(of_pairs) else None,
        **given,
    )
