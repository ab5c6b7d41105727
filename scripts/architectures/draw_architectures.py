"""Diagrams of all architectures, and one picture that compares them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.architectures.diagrams import frame, overview, transformer, unet
from atlas.architectures.portraits import Missing, Portrait, read
from atlas.basis.workflow import command_line, configure_logging


def main(*, portraits: Sequence[Path], folder: Path) -> None:
    """
    Draw every architecture as SVG and PNG, and the overview.

    Parameters
    ----------
    portraits
        What summarise_architectures writes of each architecture, as JSON.
    folder
        Where to write the pictures.
    """
    found = [read(path) for path in portraits]
    for portrait in found:
        svg, png = (folder / f"{portrait.name}.{suffix}" for suffix in ("svg", "png"))
        frame.save(_drawing(portrait), svg, png)
    drawn = [portrait for portrait in found if isinstance(portrait, Portrait)]
    overview.draw(drawn, folder / "overview.svg", folder / "overview.png")


def _drawing(portrait: Portrait | Missing) -> Any:
    if isinstance(portrait, Missing):
        return frame.notice(portrait)
    return unet.draw(portrait) if unet.fits(portrait) else transformer.draw(portrait)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        portraits=[Path(path) for path in snakemake.input.portraits],
        folder=Path(snakemake.output.overview).parent,
    )
