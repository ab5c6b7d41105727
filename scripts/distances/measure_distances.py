"""Measure the pairs of contents that a shard lacks."""

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from atlas.basis.arrow import spare_pandas
from atlas.basis.workflow import configure_logging
from atlas.distances import engine, plan
from atlas.distances.progress import Progress
from atlas.distances.update import update
from atlas.fingerprints import fingerprint


def main(
    *,
    fingerprints: dict[Path, Path],
    shard: int,
    shards: int,
    table: Path,
    record: Path,
    threads: int,
    memory_mb: int,
    device: str,
    method: int,
    keep_absent: bool,
) -> None:
    """Bring one shard up to date and record how many pairs of contents were measured."""
    contents = plan.contents_of(fingerprints, shard=shard, count=shards)
    dtypes = {content.dtype for held in contents.values() for content in held.values()}
    memory = {"threads": threads, "memory_bytes": memory_mb * 10**6}
    with Progress(contents) as progress:
        tally = update(
            table,
            contents,
            measure=lambda jobs: engine.measure(progress.watch(jobs), device=device, **memory),
            method=method,
            keep_absent=keep_absent,
            most_contents=engine.most_contents(dtypes, **memory),
        )
    logging.info(
        "measured %d pairs of contents, kept %d, dropped %d",
        tally.measured,
        tally.kept,
        tally.dropped,
    )
    record.write_text(json.dumps(asdict(tally)) + "\n")


if __name__ == "__main__":
    configure_logging(snakemake)
    spare_pandas()
    main(
        fingerprints={
            Path(table): fingerprint.anchor(Path(path))
            for table, path in zip(
                snakemake.input.fingerprints, snakemake.params.checkpoints, strict=True
            )
        },
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
