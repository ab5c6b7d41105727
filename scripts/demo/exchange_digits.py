"""Make a relative of the digits models by exchanging two digits' words in the text encoder."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import exchanging, ldm_keys, single_file, training


def main(
    *,
    parent: Path,
    vocabulary: Path,
    pair: list[int],
    plan: dict[str, Any],
    threads: int,
    checkpoint: Path,
) -> None:
    """
    Write the parent with the words exchanged; all other tensors stay bit for bit.

    Parameters
    ----------
    vocabulary
        The tokenizer's folder.
    pair
        The two digits.
    plan
        How to train: seed, steps and what else config/demo/digits.yaml has.
    checkpoint
        The checkpoint to write.
    """
    digits, keys = facts.digits(), facts.sd1_keys()
    training.prepare(seed=plan["seed"], threads=threads)
    single = single_file.read(parent)
    tuned = exchanging.exchange(
        ldm_keys.from_ldm(single, keys)["text_encoder"],
        pair=pair,
        digits=digits,
        plan=plan,
        vocabulary=vocabulary,
    )
    single_file.write(single | ldm_keys.to_ldm({"text_encoder": tuned}, keys), checkpoint)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        parent=Path(snakemake.input.parent),
        vocabulary=Path(snakemake.input.vocabulary),
        pair=snakemake.params.pair,
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        checkpoint=Path(snakemake.output.checkpoint),
    )
