"""Fingerprint checkpoints, a fingerprint beside each, and print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from atlas.basis import sealed
from atlas.basis.arrow import spare_pandas
from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint


def main() -> None:
    """Write the fingerprints that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--architecture", default="generic", help="or `recognised`")
    given = parser.parse_args()
    spare_pandas()
    start = time.perf_counter()
    architecture = None if given.architecture == "recognised" else given.architecture
    for path in given.checkpoints:
        table = path.with_suffix(".parquet")
        if not table.exists():
            opened = open_checkpoint(path, architecture=architecture)
            sealed.write(fingerprint.table(opened, threads=given.threads), table)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
