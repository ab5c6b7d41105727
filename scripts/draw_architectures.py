"""Diagrams of all architectures, and one picture that compares them."""

from collections.abc import Sequence
from pathlib import Path

from atlas.architectures import pieces
from atlas.architectures.diagrams import frame, overview, transformer, unet
from atlas.workflow import configure_logging


def main(*, portraits: Sequence[Path], folder: Path) -> None:
    """Draw every architecture as SVG and PNG, and the overview."""
    found = [pieces.read(path) for path in portraits]
    for portrait in found:
        draw = unet.draw if portrait.kind == "UNet" else transformer.draw
        frame.save(draw(portrait), folder / f"{portrait.name}.svg", folder / f"{portrait.name}.png")
    overview.draw(found, folder / "overview.svg", folder / "overview.png")


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        portraits=[Path(path) for path in snakemake.input.portraits],
        folder=Path(snakemake.output.overview).parent,
    )
