"""Train the digits models' autoencoder."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import autoencoder, fitting, images, networks, single_file, training


def main(*, plan: dict[str, Any], threads: int, weights: Path) -> None:
    """
    Train it on the digits' pictures, then bring its latents to one scale.

    Parameters
    ----------
    plan
        How to train: seed, steps and what else config/demo/digits.yaml has.
    weights
        The weights to write.
    """
    digits = facts.digits()
    training.prepare(seed=plan["seed"], threads=threads)
    vae = networks.build("vae", digits["components"]["vae"])
    fitting.fit_vae(vae, parameters=list(vae.parameters()), digits=digits, plan=plan)
    pictures, _ = images.load(digits["image_side"])
    autoencoder.standardise(vae, autoencoder.encode(vae, pictures))
    single_file.write(networks.arrays_of(vae), weights)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        weights=Path(snakemake.output.weights),
    )
