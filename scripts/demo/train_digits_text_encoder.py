"""Train the digits models' text encoder, and write its answers to all captions."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import captioning, fitting, networks, single_file, training


def main(
    *,
    vocabulary: Path,
    plan: dict[str, Any],
    threads: int,
    weights: Path,
    conditions: Path,
) -> None:
    """
    Train it as CLIP was, on pictures and their captions.

    Parameters
    ----------
    vocabulary
        The tokenizer's folder.
    plan
        How to train: seed, steps and what else config/demo/digits.yaml has.
    weights
        The weights to write.
    conditions
        The encoder's answers to all captions, to write.
    """
    digits = facts.digits()
    training.prepare(seed=plan["seed"], threads=threads)
    encoder = networks.build("text_encoder", digits["components"]["text_encoder"])
    fitting.fit_text_encoder(
        encoder,
        parameters=list(encoder.parameters()),
        digits=digits,
        plan=plan,
        vocabulary=vocabulary,
    )
    single_file.write(networks.arrays_of(encoder), weights)
    answers = fitting.conditions_of(encoder, digits=digits, vocabulary=vocabulary)
    captioning.write(answers, conditions)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        vocabulary=Path(snakemake.input.vocabulary),
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        weights=Path(snakemake.output.weights),
        conditions=Path(snakemake.output.conditions),
    )
