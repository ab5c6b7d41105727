"""Choose the pairs of all fingerprints of a folder, as the job does; print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from distances.choose_pairs import main as choose_pairs


def main() -> None:
    """Read all fingerprints, and write the pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("nearest", type=int)
    given = parser.parse_args()
    files = sorted((given.folder / "fingerprints").glob("*.parquet"))
    start = time.perf_counter()
    choose_pairs(
        fingerprints={path.stem: path for path in files},
        renamings=None,
        groups=[],
        nearest=given.nearest,
        pairs=given.folder / "pairs.parquet",
        neighbours=given.folder / "nearest.csv",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
