"""Make a relative of the digits models by training one component a little further."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.workflow import command_line, configure_logging
from atlas_demo import facts
from atlas_demo.digits import finetuning, ldm_keys, single_file, training


def main(
    *,
    parent: Path,
    vocabulary: Path,
    component: str,
    plan: dict[str, Any],
    threads: int,
    checkpoint: Path,
) -> None:
    """
    Write the parent with the component trained; all other tensors stay bit for bit.

    Parameters
    ----------
    vocabulary
        The tokenizer's folder.
    component
        `unet`, `vae` or `text_encoder`.
    plan
        How to train: seed, steps and what else config/demo/digits.yaml has.
    checkpoint
        The checkpoint to write.
    """
    digits, keys = facts.digits(), facts.sd1_keys()
    training.prepare(seed=plan["seed"], threads=threads)
    single = single_file.read(parent)
    tuned = finetuning.finetune(
        component,
        ldm_keys.from_ldm(single, keys),
        digits=digits,
        plan=plan,
        vocabulary=vocabulary,
    )
    single_file.write(single | ldm_keys.to_ldm({component: tuned}, keys), checkpoint)


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        parent=Path(snakemake.input.parent),
        vocabulary=Path(snakemake.input.vocabulary),
        component=snakemake.params.component,
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        checkpoint=Path(snakemake.output.checkpoint),
    )
