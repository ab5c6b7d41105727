"""Fit the recipes of a made-up group, as their job does; print the time and verdicts as JSON."""

import argparse
import json
import time
from pathlib import Path

import pyarrow.parquet as pq

from atlas.fingerprints.renamings import Renamings
from atlas.recipes.tables import WHOLE
from recipes.fit_recipes import main as fit_recipes


def main() -> None:
    """Join all fingerprints of a folder with all its shards, by its table of distances."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    renamings = given.folder / "renamings.json"
    Renamings().save(renamings)
    files = {path.stem: path for path in sorted((given.folder / "fingerprints").glob("*.parquet"))}
    start = time.perf_counter()
    fit_recipes(
        fingerprints=files,
        renamings=renamings,
        shard_files=sorted((given.folder / "distances").glob("*.parquet")),
        measured_by=1,
        distances=given.folder / "distances.parquet",
        order=list(files),
        parents=6,
        table=given.folder / "fits.parquet",
    )
    seconds = time.perf_counter() - start
    wanted = [("component", "=", "unet"), ("block", "=", WHOLE)]
    verdicts = pq.read_table(given.folder / "fits.parquet", columns=["verdict"], filters=wanted)
    told = verdicts["verdict"].to_pylist()
    print(
        json.dumps({"seconds": seconds, "verdicts": {each: told.count(each) for each in set(told)}})
    )


if __name__ == "__main__":
    main()
