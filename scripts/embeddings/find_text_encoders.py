"""Find the text encoders of models, their configurations and tokenizers."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import encoders


def main(
    *,
    models: list[str],
    fingerprints: list[Path],
    checkpoints: list[Path],
    configurations: list[Path],
    tokenizers: dict[str, Path],
    standard: Path | None,
    table: Path,
    record: Path,
) -> None:
    """
    Write which text encoders there are; no weight is read.

    Parameters
    ----------
    models
        Their ids, in the order of the roster; fingerprints and checkpoints in the same order.
    configurations
        Diffusers folders whose configurations and tokenizers are tried where a model has none.
    tokenizers
        Kind of text encoder (clip, t5, ...) to the folder of its tokenizer.
    standard
        Folder of CLIP's own tokenizer, if it was needed.
    table
        The CSV file to write.
    record
        The same as JSON, with the configurations, for the jobs that run the encoders.
    """
    places = encoders.Places(configurations, tokenizers, standard)
    found = [
        each
        for model, fingerprint, checkpoint in zip(models, fingerprints, checkpoints, strict=True)
        for each in encoders.find(model, fingerprint, checkpoint, places)
    ]
    for each in found:
        if isinstance(each, encoders.Problem):
            logging.warning("%s: %s", each.model, each.text)
    tables.write_text(encoders.table(found).to_csv(index=False, lineterminator="\n"), table)
    tables.write_text(encoders.dumped(found), record)


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        models=snakemake.params.models,
        fingerprints=[Path(path) for path in snakemake.input.fingerprints],
        checkpoints=[Path(path) for path in snakemake.params.checkpoints],
        configurations=[Path(path) for path in snakemake.params.configurations],
        tokenizers={name: Path(path) for name, path in snakemake.params.tokenizers.items()},
        standard=Path(snakemake.input.standard) if snakemake.input.standard else None,
        table=Path(snakemake.output.table),
        record=Path(snakemake.output.record),
    )
