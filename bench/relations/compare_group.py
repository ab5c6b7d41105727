"""Add up a group's distances from its shards, as its job does; print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from atlas.fingerprints.renamings import Renamings
from relations.compare_group import main as compare_group


def main() -> None:
    """Join all fingerprints of a folder with all its shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    files = sorted((given.folder / "fingerprints").glob("*.parquet"))
    renamings = given.folder / "renamings.json"
    Renamings().save(renamings)
    start = time.perf_counter()
    compare_group(
        fingerprints={path.stem: path for path in files},
        renamings=renamings,
        shard_files=sorted((given.folder / "distances").glob("*.parquet")),
        measured_by=1,
        table=given.folder / "distances.parquet",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
