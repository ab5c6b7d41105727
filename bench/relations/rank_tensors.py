"""Rank the tensors of a made-up group's pairs, as their job does; print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from atlas.fingerprints.renamings import Renamings
from relations.rank_tensors import main as rank_tensors


def main() -> None:
    """Join all fingerprints of a folder with all its shards, by its matrices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=30_000)
    given = parser.parse_args()
    renamings = given.folder / "renamings.json"
    Renamings().save(renamings)
    start = time.perf_counter()
    rank_tensors(
        fingerprints={
            path.stem: path for path in sorted((given.folder / "fingerprints").glob("*.parquet"))
        },
        renamings=renamings,
        shard_files=sorted((given.folder / "distances").glob("*.parquet")),
        measured_by=1,
        matrix_folder=given.folder / "matrices",
        base=None,
        pairs=given.pairs,
        tensors=20,
        table=given.folder / "tensors.parquet",
        spread=given.folder / "spread.parquet",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
