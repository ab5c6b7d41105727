"""Read the blocks of a made-up group's near pairs; print time and numbers as JSON."""

import argparse
import json
import time
from pathlib import Path

from atlas.relations.block_values import distinct, read_blocks
from atlas.relations.near_pairs import near_pairs, read_distances


def main() -> None:
    """Read them from the group's tidy table, by its matrices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=30_000)
    given = parser.parse_args()
    start = time.perf_counter()
    near = near_pairs(read_distances(given.folder / "matrices"), None, given.pairs)
    found = read_blocks(given.folder / "distances.parquet", near.ids, near.first, near.second)
    kept = [distinct(blocks)[1] for blocks in found.values()]
    told = {
        "seconds": time.perf_counter() - start,
        "pairs": len(near),
        "nearest": near.nearest,
        "cells": sum(blocks.values.size for blocks in found.values()),
        "distinct": sum(each.values.size for each in kept),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
