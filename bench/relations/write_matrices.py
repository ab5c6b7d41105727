"""Write a group's matrices from its tidy table, as their job does; print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from relations.write_matrices import main as write_matrices


def main() -> None:
    """Write all that the workflow's own settings ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    write_matrices(
        table=given.folder / "distances.parquet",
        models=sorted(path.stem for path in (given.folder / "fingerprints").glob("*.parquet")),
        measures=["cosine", "relative_l2", "rms"],
        folder=given.folder / "matrices",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
