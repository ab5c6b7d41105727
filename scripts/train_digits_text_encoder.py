"""Train the digits models' text encoder, and write its answers to all captions."""

from pathlib import Path
from typing import Any

from atlas.demo.digits import captioning, facts, fitting, networks, single_file, training
from atlas.workflow import configure_logging


def main(
    *,
    vocabulary: Path,
    plan: dict[str, Any],
    threads: int,
    weights: Path,
    conditions: Path,
) -> None:
    """Train it as CLIP was, on pictures and their captions."""
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
    configure_logging(snakemake)
    main(
        vocabulary=Path(snakemake.input.vocabulary),
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        weights=Path(snakemake.output.weights),
        conditions=Path(snakemake.output.conditions),
    )
