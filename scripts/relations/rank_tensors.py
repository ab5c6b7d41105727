"""Rank the tensors of a group's pairs by how far they moved, and count how all of them did."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import shards
from atlas.fingerprints.renamings import read_renamings
from atlas.relations import contents, ranking
from atlas.relations.near_pairs import near_pairs, read_distances


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    shard_files: list[Path],
    measured_by: int | None,
    matrix_folder: Path,
    base: str | None,
    pairs: int,
    tensors: int,
    table: Path,
    spread: Path,
) -> None:
    """
    Join the group's fingerprints with the measured distances and write both tables.

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
    matrix_folder
        The group's matrices, which say who is near whom.
    base
        The model of which all pairs are told; None for the first of the matrices.
    pairs
        How many pairs are told at most; of a group that has more, those of near models.
    tensors
        How many tensors are told of each pair.
    table
        The table of the tensors that differ most to write.
    spread
        The table of how the tensors are spread to write.
    """
    models = list(fingerprints)
    near = near_pairs(read_distances(matrix_folder), base, pairs)
    first, second = near.places(models)
    named = read_renamings(renamings) if renamings else None
    held = contents.load(list(fingerprints.values()), models, named)
    logging.info("%d pairs of %d models, %d names", len(near), len(models), len(held.tensors))
    names = shards.NamesOnDisk(shard_files, method=measured_by)
    found = ranking.rank(held, names.read(set(held.tensors["name"])), first, second, most=tensors)
    tables.write(found.tensors(), table)
    tables.write(found.spread(), spread)


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
        matrix_folder=Path(snakemake.input.matrices),
        base=snakemake.params.base,
        pairs=snakemake.params.pairs,
        tensors=snakemake.params.tensors,
        table=Path(snakemake.output.table),
        spread=Path(snakemake.output.spread),
    )
