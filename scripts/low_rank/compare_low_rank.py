"""Tell whether the difference of two models is of low rank: a LoRA that was baked in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints.fingerprint import anchor
from atlas.fingerprints.renamings import read_renamings
from atlas.low_rank.differences import Models
from atlas.low_rank.tables import of_pair


def main(
    *,
    fingerprints: dict[str, Path],
    checkpoints: dict[str, Path],
    renamings: Path | None,
    table: Path,
) -> None:
    """
    Read the weights in which two models differ and write a row per component and role.

    Parameters
    ----------
    fingerprints, checkpoints
        Each of the two models to its fingerprint, and to its checkpoint.
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
    tables.write_text(of_pair(models, *fingerprints).to_csv(index=False), table)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    models = (snakemake.wildcards.a, snakemake.wildcards.b)
    main(
        fingerprints=dict(zip(models, map(Path, snakemake.input.fingerprints), strict=True)),
        checkpoints=dict(zip(models, map(Path, snakemake.params.checkpoints), strict=True)),
        renamings=Path(snakemake.input.renamings),
        table=Path(snakemake.output.table),
    )
