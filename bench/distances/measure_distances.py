"""
Measure all distances between checkpoints as a shard's job does, and print its own time as JSON.

The stage's time runs from the first read to the last write; fingerprints are there already.
"""

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np

from atlas.basis.arrow import spare_pandas
from atlas.distances import contents, engine
from atlas.distances.plan import Content, Job
from atlas.fingerprints.fingerprint import anchor
from distances.measure_distances import main as measure_distances


def read_bytes() -> int:
    """Return the bytes that this process has asked files for so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def warm_up() -> None:
    """Load the compiled code, which is part of a process's start-up and not of the stage."""
    content = Content(digest="", dtype="f16", shape=(8,), norm=1.0, parts=())
    index = np.zeros(1, np.int32)
    job = Job(name="", contents=(content, content), first=index, second=index + 1)
    engine.kernel_for("cpu").measure(job, np.zeros(32, np.uint8), 8)


def main() -> None:
    """Measure everything anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with a fingerprint beside each checkpoint")
    parser.add_argument("--models", type=int, help="take only so many")
    parser.add_argument("--shards", type=int, default=1, help="measure the first of so many")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-mb", type=int, default=1000)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    spare_pandas()
    fingerprints = sorted(given.folder.glob("*.parquet"))[: given.models]
    output = given.folder / "out"
    output.mkdir(exist_ok=True)
    table = output / "0.parquet"
    table.unlink(missing_ok=True)
    held = output / "contents.parquet"
    warm_up()
    start, start_cpu, start_read = time.perf_counter(), time.process_time(), read_bytes()
    homes = {table: anchor(table.with_suffix("")) for table in fingerprints}
    ((_, collected),) = contents.collect(homes, count=given.shards, shards=[0])
    contents.write(collected, held)
    measure_distances(
        contents=held,
        pairs=None,
        shard=0,
        shards=given.shards,
        table=table,
        record=output / "0.json",
        threads=given.threads,
        memory_mb=given.memory_mb,
        device="cpu",
        method=1,
        keep_absent=True,
    )
    own = {
        "read_bytes": read_bytes() - start_read,
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - start_cpu,
    }
    print(json.dumps(own | json.loads((output / "0.json").read_text())))


if __name__ == "__main__":
    main()
