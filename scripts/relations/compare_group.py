"""Add up a group's distances per component, block and role, for every pair of its models."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import shards
from atlas.fingerprints.renamings import read_renamings
from atlas.relations import contents, groups, stored_sums


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    shard_files: list[Path],
    measured_by: int | None,
    table: Path,
) -> None:
    """
    Join the group's fingerprints with the measured distances and write the tidy table.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint, in order of the models' ids.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    shard_files
        All shards of measured distances.
    measured_by
        Version of the method that they were measured by; else any, the same for all.
    table
        The tidy table to write.
    """
    models = list(fingerprints)
    named = read_renamings(renamings) if renamings else None
    held = contents.load(list(fingerprints.values()), models, named)
    logging.info("%d models, %d names of tensors", len(models), len(held.tensors))
    names = shards.NamesOnDisk(shard_files, method=measured_by)
    parts = stored_sums.tables_within(held, names, folder=table.parent)
    tables.write_parts(parts, groups.SCHEMA, table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    paths = map(Path, snakemake.input.fingerprints)
    main(
        fingerprints=dict(zip(snakemake.params.models, paths, strict=True)),
        renamings=Path(snakemake.input.renamings),
        shard_files=[Path(path) for path in snakemake.input.shards],
        measured_by=snakemake.params.measured_by,
        table=Path(snakemake.output.table),
    )
