"""Train the digits models' autoencoder."""

from pathlib import Path
from typing import Any

from atlas.demo.digits import autoencoder, facts, fitting, images, networks, single_file, training
from atlas.workflow import configure_logging


def main(*, plan: dict[str, Any], threads: int, weights: Path) -> None:
    """Train it on the digits' pictures, then bring its latents to one scale."""
    digits = facts.digits()
    training.prepare(seed=plan["seed"], threads=threads)
    vae = networks.build("vae", digits["components"]["vae"])
    fitting.fit_vae(vae, parameters=list(vae.parameters()), digits=digits, plan=plan)
    pictures, _ = images.load(digits["image_side"])
    autoencoder.standardise(vae, autoencoder.encode(vae, pictures))
    single_file.write(networks.arrays_of(vae), weights)


if __name__ == "__main__":
    configure_logging(snakemake)
    main(
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        weights=Path(snakemake.output.weights),
    )
