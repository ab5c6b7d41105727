"""Encode a list of words by the text encoders that a shard lacks."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[1]))
import torch

from atlas.basis.errors import AtlasError
from atlas.basis.workflow import command_line, configure_logging
from atlas.embeddings import encoders, encoding, similarities, word_lists, word_store
from atlas.embeddings.tokens import Tokenizers, tokens_of
from atlas.networks.sources import DTYPES, Source


def main(
    *,
    record: Path,
    words: Path,
    models: dict[str, Path],
    architectures: dict[str, str],
    weights: dict[str, str],
    shard: int,
    shards: int,
    forms: list[str],
    table: Path,
    tally: Path,
    method: int,
    threads: int,
    device: Literal["cpu", "cuda"],
    dtype: Literal["f32", "bf16", "f16"],
) -> None:
    """
    Bring one shard up to date, and record how many text encoders were run.

    A content is an encoder's weights and configuration, and the tokens that it is told.

    Parameters
    ----------
    record
        The JSON file of find_text_encoders.
    words
        The list of words.
    models
        Id to checkpoint.
    architectures, weights
        Id to what the roster says, where it does.
    shard, shards
        Which share of the encoders, from 0, and of how many.
    forms
        Those whose vectors are kept.
    table
        The shard, to write or to bring up to date.
    tally
        The JSON file to write: contents encoded, kept, and kept of others.
    method
        Version of the method: what another one encoded is encoded anew.
    device, dtype
        What the encoders run on, and in.
    """
    torch.set_num_threads(threads)
    found = [each for each in encoders.loaded(record)[0] if int(each.id, 16) % shards == shard]
    rows = word_lists.read(words).rows
    opened = Tokenizers()
    held, problems, first = {}, {}, {}
    for encoder in found:
        try:
            tokens = tokens_of(encoder, rows, opened)
        except AtlasError as error:
            logging.error("%s", error)
            problems[f"{encoder.model} {encoder.component}"] = str(error)
            continue
        content = f"{encoder.id}-{tokens.digest}"
        held[f"{encoder.model} {encoder.component}"] = content
        first.setdefault(content, (encoder, tokens))

    def encode(content: str) -> Iterator[word_store.Encoded]:
        encoder, tokens = first[content]
        place = list(first).index(content) + 1
        logging.info("%d of %d: the %s of %s", place, len(first), encoder.component, encoder.model)
        model = encoder.model
        source = Source(model, models[model], architectures.get(model), weights.get(model))
        network = encoding.load(encoder, source, device=torch.device(device), dtype=DTYPES[dtype])
        made = encoding.encode(encoder, network, tokens)
        del network
        encoding.require_finite(encoder, made, [row.text for row in rows])
        for form, vectors in made.items():
            yield word_store.Encoded(
                content,
                form,
                [row.text for row in rows],
                tokens.cut,
                vectors if form in forms else None,
                similarities.similarities(vectors),
            )

    done = word_store.update(
        table,
        list(first),
        encode=encode,
        state={
            "method": method,
            "forms": sorted(forms),
            "dtype": dtype,
            "texts": word_lists.digest(rows),
        },
        notes={"held": held, "untold": problems},
    )
    logging.info(
        "encoded %d text encoders, had %d, and %d of others", done.encoded, done.kept, done.absent
    )
    tally.write_text(json.dumps(asdict(done)) + "\n")


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        record=Path(snakemake.input.record),
        words=Path(snakemake.input.words),
        models={name: Path(path) for name, path in snakemake.params.models.items()},
        architectures=snakemake.params.architectures,
        weights=snakemake.params.weights,
        shard=int(snakemake.wildcards.shard),
        shards=snakemake.params.shards,
        forms=snakemake.params.forms,
        table=Path(snakemake.output.table),
        tally=Path(snakemake.log[0]).with_suffix(".json"),
        method=snakemake.params.method,
        threads=snakemake.threads,
        device=snakemake.config["embeddings"]["device"],
        dtype=snakemake.params.dtype,
    )
