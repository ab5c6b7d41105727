"""Fit the recipes of a group: each model as a weighted sum of others, by component and block."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import shards
from atlas.fingerprints.renamings import read_renamings
from atlas.recipes import group_fits, published_fits
from atlas.recipes.block_squares import read_squares
from atlas.relations import contents


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    shard_files: list[Path],
    measured_by: int | None,
    distances: Path,
    order: list[str],
    parents: int,
    table: Path,
) -> None:
    """
    Fit all models of a group and write the table.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint, in order of the models' ids; none of published matrices.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    shard_files
        All shards of measured distances.
    measured_by
        Version of the method that they were measured by; else any, the same for all.
    distances
        The group's tidy table.
    order
        The models' ids in order of the roster.
    parents
        Largest number of parents of a recipe.
    table
        The table to write.
    """
    models = list(fingerprints)
    if not models:
        tables.write(published_fits.fit(distances, most=parents), table)
        return
    named = read_renamings(renamings) if renamings else None
    held = contents.load(list(fingerprints.values()), models, named)
    logging.info("%d models, %d names of tensors", len(models), len(held.tensors))
    names = shards.NamesOnDisk(shard_files, method=measured_by)
    found = group_fits.fit(
        held,
        read_squares(distances, models),
        names.read(set(held.tensors["name"])),
        order=order,
        most=parents,
    )
    tables.write(found, table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = map(Path, snakemake.input.get("fingerprints", []))
    main(
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        renamings=Path(snakemake.input.renamings) if snakemake.params.models else None,
        shard_files=[Path(path) for path in snakemake.input.get("shards", [])],
        measured_by=snakemake.params.measured_by,
        distances=Path(snakemake.input.distances),
        order=snakemake.params.order,
        parents=snakemake.params.parents,
        table=Path(snakemake.output.table),
    )
