"""Tell what a group has twice, as its jobs do; print the time of the second of two as JSON."""

import argparse
import json
import time
from pathlib import Path

from models.describe_group import main as describe_group
from relations.report_duplicates import main as report_duplicates


def main() -> None:
    """Report on all fingerprints of a folder, whose identity table is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    files = {path.stem: path for path in sorted((given.folder / "fingerprints").glob("*.parquet"))}
    table = given.folder / "models.csv"
    if not table.exists():
        describe_group(
            fingerprints=files,
            checkpoints=files,
            weights={},
            table=table,
            noticed=given.folder / "findings.json",
        )
    start = time.perf_counter()
    report_duplicates(
        identity=given.folder / "identity.csv",
        described=table,
        models=list(files),
        checkpoints=files,
        weights={},
        labels={model: model for model in files},
        group="made up",
        stem=given.folder / "duplicates",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
