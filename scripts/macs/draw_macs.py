"""Draw what images cost, where in the denoisers, how it grows, and the published ranking."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.macs import files, pictures
from atlas.macs.words import Words


def main(
    *,
    names: Iterable[str],
    settings: Mapping[str, Any],
    profiles: Path,
    summary: Path,
    as_published: Path,
    folder: Path,
) -> None:
    """
    Draw all pictures as SVG and PNG.

    Parameters
    ----------
    names
        The architectures to draw.
    settings
        What was asked for: `macs` of the settings, from the resolutions to the guidance.
    profiles
        The folder of their profiles, as profile_macs writes them.
    summary
        The table that summarise_macs writes.
    as_published
        The table that reproduce_published_macs writes.
    folder
        Where to write the pictures.
    """
    pictures.draw_all(
        files.read(summary),
        {name: files.read(profiles / f"{name}.csv") for name in names},
        files.read(as_published),
        Words.of(settings),
        folder,
    )


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        names=snakemake.params.names,
        settings=snakemake.params.settings,
        profiles=Path(snakemake.input.profiles[0]).parent,
        summary=Path(snakemake.input.summary),
        as_published=Path(snakemake.input.as_published),
        folder=Path(snakemake.output.folder),
    )
