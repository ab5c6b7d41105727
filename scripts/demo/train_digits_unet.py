"""Train the digits models' UNet, and keep a moving average of it."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import captioning, denoiser, fitting, networks, single_file, training


def main(
    *,
    vae: Path,
    conditions: Path,
    plan: dict[str, Any],
    threads: int,
    weights: Path,
    average: Path,
) -> None:
    """
    Train it on the pictures' latents and the text encoder's answers to their captions.

    Parameters
    ----------
    vae
        The trained autoencoder's weights.
    conditions
        The text encoder's answers to all captions.
    plan
        How to train: seed, steps and what else config/demo/digits.yaml has.
    weights
        The weights to write.
    average
        Their moving average, to write.
    """
    digits = facts.digits()
    components = digits["components"]
    training.prepare(seed=plan["seed"], threads=threads)
    unet = networks.build("unet", components["unet"])
    denoiser.silence(unet)
    moving = denoiser.Average(unet, decay=plan["ema_decay"])
    fitting.fit_unet(
        unet,
        vae=networks.load("vae", components["vae"], single_file.read(vae)),
        conditions=captioning.read(conditions),
        digits=digits,
        plan=plan,
        after_step=moving.update,
    )
    single_file.write(networks.arrays_of(unet), weights)
    single_file.write({name: mean.numpy() for name, mean in moving.weights.items()}, average)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        vae=Path(snakemake.input.vae),
        conditions=Path(snakemake.input.conditions),
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        weights=Path(snakemake.output.weights),
        average=Path(snakemake.output.average),
    )
