"""Tell which components of a group are the same, as its job does; print the time as JSON."""

import argparse
import json
import time
from pathlib import Path

from atlas.fingerprints.renamings import Renamings
from relations.identify_components import main as identify_components


def main() -> None:
    """Compare all fingerprints of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    files = {path.stem: path for path in sorted((given.folder / "fingerprints").glob("*.parquet"))}
    renamings = given.folder / "renamings.json"
    Renamings().save(renamings)
    start = time.perf_counter()
    identify_components(
        fingerprints=files,
        renamings=renamings,
        labels={model: model for model in files},
        group="made up",
        stem=given.folder / "identity",
    )
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
