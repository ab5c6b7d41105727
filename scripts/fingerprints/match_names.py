"""Find which names of unknown layouts stand for which of known ones, by what they hold."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.fingerprints import matching


def main(*, fingerprints: list[Path], renamings: Path) -> None:
    """
    Write the names that components go by in the place of their files' own.

    Parameters
    ----------
    fingerprints
        Those of all models.
    renamings
        The JSON file to write.
    """
    found = matching.find(fingerprints)
    found.save(renamings)
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
        renamings=Path(snakemake.output.renamings),
    )
