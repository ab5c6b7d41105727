"""Find which names of unknown layouts stand for which of known ones, by what they hold."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints import matching, register


def main(
    *, fingerprints: list[Path], checkpoints: list[Path], renamings: Path, listed: Path
) -> None:
    """
    Write the names that components go by in the place of their files' own, and list what was read.

    Parameters
    ----------
    fingerprints
        Those of all models, each file named by its model.
    checkpoints
        What each is of, in the same order.
    renamings
        The JSON file to write.
    listed
        The register of the fingerprints to write.
    """
    found = matching.find(fingerprints)
    found.save(renamings)
    pairs = zip(fingerprints, checkpoints, strict=True)
    register.write({made.stem: register.Entry(made, of) for made, of in pairs}, listed)
    logging.info(
        "%d sets of names go by others; %d tensors have no counterpart that can be told",
        len(found.tables),
        matching.doubtful(found),
    )


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        fingerprints=[Path(file) for file in snakemake.input.fingerprints],
        checkpoints=[Path(path) for path in snakemake.params.checkpoints],
        renamings=Path(snakemake.output.renamings),
        listed=Path(snakemake.output.listed),
    )
