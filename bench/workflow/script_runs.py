"""Run a script on files, in a process each, one after the other, and print the seconds as JSON."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Fingerprint every file alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("script", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(given.files):
            table = Path(folder) / f"{number}.parquet"
            options = ["--checkpoint", file, "--table", table, "--threads", "1"]
            subprocess.run([sys.executable, given.script, *options], check=True)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
