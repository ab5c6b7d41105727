"""Add up a group's distances per component, block and role, for every pair of its models."""

import logging
from pathlib import Path

from atlas import contents, groups, tables
from atlas.distances import shards
from atlas.workflow import configure_logging


def main(*, fingerprints: list[Path], shard_files: list[Path], models: list[str], table: Path):
    """Join the group's fingerprints with the measured distances and write the tidy table."""
    held = contents.load(fingerprints, models)
    logging.info("%d models, %d names of tensors", len(models), len(held.tensors))
    parts = groups.GroupDistances(held).parts(shards.iter_names(shard_files))
    tables.write_parts(groups.tables(models, parts), groups.SCHEMA, table)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        fingerprints=[Path(path) for path in snakemake.input.fingerprints],
        shard_files=[Path(path) for path in snakemake.input.shards],
        models=snakemake.params.models,
        table=Path(snakemake.output.table),
    )
