"""Copy a terrain network under keys of which no table of layouts knows anything."""

from pathlib import Path

from safetensors.numpy import load_file, save_file

from atlas.demo import facts, relatives
from atlas.demo.adm_layout import terrain_layout
from atlas.workflow import configure_logging


def main(*, parent: Path, checkpoint: Path) -> None:
    """Give diffusers' form of the weights keys of other words, in one file."""
    weights = terrain_layout().to_diffusers(load_file(parent))
    renamed = relatives.rename(weights, facts.terrain()["renamed_words"])
    save_file(renamed, checkpoint, metadata={"format": "pt"})


if __name__ == "__main__":
    configure_logging(snakemake)
    main(parent=Path(snakemake.input.parent), checkpoint=Path(snakemake.output.checkpoint))
