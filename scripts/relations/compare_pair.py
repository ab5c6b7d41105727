"""Compare two models tensor by tensor."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import shards
from atlas.relations import contents, pairs


def main(
    *, fingerprints: list[Path], shard_files: list[Path], models: tuple[str, str], table: Path
) -> None:
    """
    Join two fingerprints with the measured distances and write a row per tensor.

    Parameters
    ----------
    fingerprints
        The two models' fingerprints.
    shard_files
        All shards of measured distances.
    models
        The two models' ids, sorted, in the order of their fingerprints.
    table
        The table of tensors to write.
    """
    held = contents.load(fingerprints, models)
    tables.write(pairs.table(held, shards.iter_names(shard_files)), table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints=[Path(path) for path in snakemake.input.fingerprints],
        shard_files=[Path(path) for path in snakemake.input.shards],
        models=(snakemake.wildcards.a, snakemake.wildcards.b),
        table=Path(snakemake.output.table),
    )
