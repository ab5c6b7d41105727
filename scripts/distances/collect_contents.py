"""Collect what all fingerprints say into a table of contents for each shard."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import contents, resources
from atlas.fingerprints import register
from atlas.fingerprints.fingerprint import anchor
from atlas.fingerprints.renamings import read_renamings


def main(
    *,
    fingerprints: Path,
    renamings: Path,
    with_models: bool,
    tables: list[Path],
) -> None:
    """
    Write the tables, each of the contents of one shard's names.

    Parameters
    ----------
    fingerprints
        The register of the models' fingerprints, as match_names writes it.
    renamings
        Names that tensors go by, as match_names writes them.
    with_models
        Tell which models hold each content, as is needed where not all pairs are measured.
    tables
        The files to write, one for each shard in order.
    """
    made = register.read(fingerprints)
    homes = {each.fingerprint: anchor(each.checkpoint) for _, each in sorted(made.items())}
    named = read_renamings(renamings)
    rows = 0
    parts = contents.passes(
        models=len(made),
        tensors=resources.TENSORS,
        shards=len(tables),
        memory_bytes=resources.CONTENTS_MB * 10**6,
    )
    for part in parts:
        collected = contents.collect(
            homes, count=len(tables), renamings=named, shards=part, with_models=with_models
        )
        for shard, table in collected:
            contents.write(table, tables[shard], models=sorted(made) if with_models else ())
            rows += len(table)
    logging.info("%d models hold %d distinct contents in %d shards", len(made), rows, len(tables))


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints=Path(snakemake.input.fingerprints),
        renamings=Path(snakemake.input.renamings),
        with_models=snakemake.params.with_models,
        tables=[Path(path) for path in snakemake.output.tables],
    )
