"""Draw digits by their captions, and count how often a classifier reads what was asked for."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis import tables
from atlas.basis.workflow import command_line, configure_logging
from atlas.plots import style
from atlas_demo import facts
from atlas_demo.digits import captioning, drawing, ldm_keys, sheet, single_file, training


def main(
    *,
    checkpoint: Path,
    conditions: Path,
    plan: dict[str, Any],
    threads: int,
    picture: Path,
    table: Path,
) -> None:
    """
    Write a sheet of the pictures, and the counts with those of real digits beside them.

    Parameters
    ----------
    conditions
        The text encoder's answers to all captions.
    plan
        How to sample, as in config/demo/digits.yaml.
    picture
        The picture to write, as .png and as .svg.
    table
        The CSV file of counts to write.
    """
    digits = facts.digits()
    training.prepare(seed=plan["seed"], threads=threads)
    drawn = drawing.draw(
        ldm_keys.from_ldm(single_file.read(checkpoint), facts.sd1_keys()),
        captioning.read(conditions),
        digits=digits,
        plan=plan,
    )
    tables.write_text(drawing.counts_csv(drawn.readings), table)
    style.save(sheet.draw(drawn, captions=digits["captions"]), picture.with_suffix(""))


if __name__ == "__main__":
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        checkpoint=Path(snakemake.input.checkpoint),
        conditions=Path(snakemake.input.conditions),
        plan=snakemake.params.plan,
        threads=snakemake.threads,
        picture=Path(snakemake.output.png),
        table=Path(snakemake.output.table),
    )
