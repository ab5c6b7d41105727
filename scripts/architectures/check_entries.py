"""Fail with one clear message where architectures could not be surveyed or profiled."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures.faults import doubt, failure, faults_in
from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging


def main(*, table: Path) -> None:
    """
    Raise AtlasError that lists every architecture that failed and what is wrong with it.

    Those whose figures are doubtful are told, and are no failure.

    Parameters
    ----------
    table
        The summary, as summarise_architectures or summarise_macs writes it.
    """
    faults = faults_in([table])
    if told := doubt(faults):
        logging.warning("%s", told)
    if told := failure(faults):
        raise AtlasError(told)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(table=Path(snakemake.input.table))
