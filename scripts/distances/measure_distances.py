"""Measure the pairs of contents that a shard lacks."""

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import command_line, configure_logging
from atlas.distances import engine, plan
from atlas.distances.chosen import chooser, chosen_pairs
from atlas.distances.contents import contents_of, read
from atlas.distances.progress import Progress
from atlas.distances.update import update


def main(
    *,
    contents: Path,
    pairs: Path | None,
    shard: int,
    shards: int,
    table: Path,
    record: Path,
    threads: int,
    memory_mb: int,
    device: Literal["cpu", "cuda"],
    method: int,
    keep_absent: bool,
) -> None:
    """
    Bring one shard up to date and record how many pairs of contents were measured.

    Parameters
    ----------
    contents
        The shard's table of contents, as collect_contents writes it.
    pairs
        Pairs of models to measure, as choose_pairs writes them; None for all.
    shard
        Which share of the tensor names, from 0.
    shards
        Number of shares.
    table
        The shard, to write or to bring up to date.
    record
        The JSON file to write: pairs of contents measured, kept and dropped.
    memory_mb
        Bound of the buffers, in 10^6 bytes.
    method
        Version of the method: rows of another one are measured anew.
    keep_absent
        Keep the rows of contents that none of the models holds.
    """
    listed, models = read(contents)
    choose = chooser(listed, chosen_pairs(pairs, models), len(models)) if pairs else None
    found = contents_of(listed)
    dtypes = {content.dtype for of_name in found.values() for content in of_name.values()}
    memory = {"threads": threads, "memory_bytes": memory_mb * 10**6}
    with Progress(found) as progress:
        tally = update(
            table,
            found,
            measure=lambda jobs: engine.measure(progress.watch(jobs), device=device, **memory),
            method=method,
            owns=lambda name: plan.shard_of(name, shards) == shard,
            keep_absent=keep_absent,
            most_contents=engine.most_contents(dtypes, **memory),
            choose=choose,
        )
    logging.info(
        "measured %d pairs of contents, kept %d, dropped %d",
        tally.measured,
        tally.kept,
        tally.dropped,
    )
    record.write_text(json.dumps(asdict(tally)) + "\n")


if __name__ == "__main__":
    spare_pandas()
    if "snakemake" not in globals():
        command_line(main)
    configure_logging(snakemake)
    main(
        contents=Path(snakemake.input.contents),
        pairs=Path(snakemake.input.pairs) if snakemake.input.get("pairs") else None,
        shard=int(snakemake.wildcards.shard),
        shards=snakemake.params.shards,
        table=Path(snakemake.output.table),
        record=Path(snakemake.log[0]).with_suffix(".json"),
        threads=snakemake.threads,
        memory_mb=snakemake.config["distances"]["memory_mb"],
        device=snakemake.config["distances"]["device"],
        method=snakemake.params.method,
        keep_absent=snakemake.params.keep_absent,
    )
