"""Make a relative by training: teach a terrain network for a few steps."""

import sys
from pathlib import Path

import torch
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo.terrain import finetune, networks
from atlas_demo.terrain.adm_layout import terrain_layout


def main(*, parent: Path, steps: int, threads: int, checkpoint: Path) -> None:
    """
    Train the parent and write the result under the keys that the parent has.

    Parameters
    ----------
    checkpoint
        The checkpoint to write.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    layout = terrain_layout()
    network = networks.build(layout.to_diffusers(load_file(parent)))
    finetune.train(network, steps=steps)
    weights = layout.to_adm(networks.weights_of(network))
    save_file(weights, checkpoint, metadata={"format": "pt"})


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        parent=Path(snakemake.input.parent),
        steps=snakemake.params.steps,
        threads=snakemake.threads,
        checkpoint=Path(snakemake.output.checkpoint),
    )
