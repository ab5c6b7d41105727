"""Tell of a group's models which differ from the ones that they were made from by a baked LoRA."""

import logging
import sys
from pathlib import Path

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints.fingerprint import anchor
from atlas.fingerprints.renamings import read_renamings
from atlas.low_rank.differences import Models
from atlas.low_rank.tables import of_group, pairs


def main(
    *,
    fits: Path | None,
    fingerprints: dict[str, Path],
    checkpoints: dict[str, Path],
    bases: dict[str, str],
    renamings: Path | None,
    table: Path,
) -> None:
    """
    Read the weights in which models differ from their nearest ones, and write the table.

    Parameters
    ----------
    fits
        The group's fitted recipes, which tell what they leave unexplained; None for a table without
        rows.
    fingerprints, checkpoints
        Each model's fingerprint, and its checkpoint.
    bases
        Models to the ones that the roster names as their bases.
    renamings
        Names that tensors go by, as match_names writes them; None matches those of these models.
    table
        The CSV file to write.
    """
    models = Models(
        fingerprints,
        {model: anchor(path) for model, path in checkpoints.items()},
        read_renamings(renamings) if renamings else None,
    )
    asked = pairs(pq.read_table(fits), bases) if fits else []
    logging.info("%d components to look at", len(asked))
    tables.write_text(of_group(models, asked).to_csv(index=False), table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    models = snakemake.params.models
    main(
        fits=Path(snakemake.input.fits[0]) if snakemake.input.fits else None,
        fingerprints=dict(zip(models, map(Path, snakemake.input.fingerprints), strict=True)),
        checkpoints=dict(zip(models, map(Path, snakemake.params.checkpoints), strict=True)),
        bases=snakemake.params.bases,
        renamings=Path(snakemake.input.renamings),
        table=Path(snakemake.output.table),
    )
