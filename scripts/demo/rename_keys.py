"""Copy a terrain network under keys of which no table of layouts knows anything."""

import sys
from pathlib import Path

from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.terrain import relatives
from atlas_demo.terrain.adm_layout import terrain_layout


def main(*, parent: Path, checkpoint: Path) -> None:
    """
    Give diffusers' form of the weights keys of other words, in one file.

    Parameters
    ----------
    checkpoint
        The checkpoint to write.
    """
    weights = terrain_layout().to_diffusers(load_file(parent))
    renamed = relatives.rename(weights, facts.terrain()["renamed_words"])
    save_file(renamed, checkpoint, metadata={"format": "pt"})


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(parent=Path(snakemake.input.parent), checkpoint=Path(snakemake.output.checkpoint))
