"""Write a terrain network's checkpoint as a diffusers folder."""

from pathlib import Path

from safetensors.numpy import load_file

from atlas.demo import diffusers_folder, facts
from atlas.demo.adm_layout import terrain_layout
from atlas.workflow import configure_logging


def main(*, checkpoint: Path, folder: Path) -> None:
    """Rename the keys to diffusers' names and write one subfolder for each component."""
    weights = terrain_layout().to_diffusers(load_file(checkpoint))
    diffusers_folder.write(weights, components=facts.terrain()["components"], folder=folder)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(checkpoint=Path(snakemake.input.checkpoint), folder=Path(snakemake.output.folder))
