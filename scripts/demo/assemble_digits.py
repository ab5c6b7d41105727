"""Put the digits models' components together as one full training checkpoint."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import assembly, single_file


def main(*, unet: Path, average: Path, vae: Path, text_encoder: Path, checkpoint: Path) -> None:
    """
    Write all that Stable Diffusion 1's own full checkpoint holds, under its keys.

    Parameters
    ----------
    average
        The UNet's moving average.
    checkpoint
        The checkpoint to write.
    """
    components = {"unet": unet, "vae": vae, "text_encoder": text_encoder}
    weights = assembly.full(
        {name: single_file.read(path) for name, path in components.items()},
        single_file.read(average),
        digits=facts.digits(),
        keys=facts.sd1_keys(),
    )
    single_file.write(weights, checkpoint)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        unet=Path(snakemake.input.unet),
        average=Path(snakemake.input.average),
        vae=Path(snakemake.input.vae),
        text_encoder=Path(snakemake.input.text_encoder),
        checkpoint=Path(snakemake.output.checkpoint),
    )
