"""Choose the pairs of models whose distances are measured, by the sketches of their weights."""

import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import sealed, tables
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints import choosing
from atlas.fingerprints.renamings import read_renamings


def main(
    *,
    fingerprints: dict[str, Path],
    renamings: Path | None,
    groups: list[list[str]],
    nearest: int,
    pairs: Path,
    neighbours: Path,
) -> None:
    """
    Write the pairs of each model with its nearest, and of the models of each group.

    Parameters
    ----------
    fingerprints
        Model to its fingerprint.
    renamings
        Names that tensors go by, as match_names writes them.
    groups
        The models of each group, of which all pairs are chosen.
    nearest
        How many neighbours of each model are chosen.
    pairs
        The table to write: a, b, estimated relative L2 distance, rank, whether of a group.
    neighbours
        The CSV table to write: each model's neighbours with rank and estimate.
    """
    named = read_renamings(renamings) if renamings else None
    found = choosing.neighbours(fingerprints, nearest, named)
    table = choosing.pairs(found, groups)
    sealed.write(table, pairs)
    tables.write_text(choosing.as_csv(found), neighbours)
    every = len(fingerprints) * (len(fingerprints) - 1) // 2
    logging.info("chose %d of %d pairs of %d models", len(table), every, len(fingerprints))


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints={Path(file).stem: Path(file) for file in snakemake.input.fingerprints},
        renamings=Path(snakemake.input.renamings),
        groups=json.loads(snakemake.params.groups),
        nearest=snakemake.params.nearest,
        pairs=Path(snakemake.output.pairs),
        neighbours=Path(snakemake.output.neighbours),
    )
