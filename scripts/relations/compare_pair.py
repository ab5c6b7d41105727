"""Compare two models tensor by tensor, and block by block."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import shards
from atlas.fingerprints.renamings import read_renamings
from atlas.relations import contents, groups, pairs


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    shard_files: list[Path],
    measured_by: int | None,
    table: Path,
    blocks: Path,
) -> None:
    """
    Join two fingerprints with the measured distances and write a row per tensor, and per part.

    Parameters
    ----------
    fingerprints
        Each of the two models to its fingerprint, in order of their ids.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    shard_files
        All shards of measured distances.
    measured_by
        Version of the method that they were measured by; else any, the same for all.
    table
        The table of tensors to write.
    blocks
        The table of blocks, roles and totals to write: a group's tidy distances, of the two alone.
    """
    named = read_renamings(renamings) if renamings else None
    held = contents.load(list(fingerprints.values()), list(fingerprints), named)
    measured = pairs.between(held, shards.iter_names(shard_files, method=measured_by))
    tables.write(pairs.table(held, measured), table)
    parts = groups.GroupDistances(held).parts(measured)
    tables.write_parts(groups.tables(held.models, parts), groups.SCHEMA, blocks)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    models = (snakemake.wildcards.a, snakemake.wildcards.b)
    main(
        fingerprints=dict(zip(models, map(Path, snakemake.input.fingerprints), strict=True)),
        renamings=Path(snakemake.input.renamings),
        shard_files=[Path(path) for path in snakemake.input.shards],
        measured_by=snakemake.params.measured_by,
        table=Path(snakemake.output.table),
        blocks=Path(snakemake.output.blocks),
    )
