"""Write a terrain network's checkpoint as a diffusers folder."""

import sys
from pathlib import Path

from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.terrain import diffusers_folder
from atlas_demo.terrain.adm_layout import terrain_layout


def main(*, checkpoint: Path, folder: Path) -> None:
    """
    Rename the keys to diffusers' names and write one subfolder for each component.

    Parameters
    ----------
    checkpoint
        The network's single file.
    folder
        Where to write the diffusers folder.
    """
    weights = terrain_layout().to_diffusers(load_file(checkpoint))
    diffusers_folder.write(weights, components=facts.terrain()["components"], folder=folder)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(checkpoint=Path(snakemake.input.checkpoint), folder=Path(snakemake.output.folder))
