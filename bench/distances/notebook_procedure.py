"""
The procedure of the "mega similarity check" notebooks, written anew: the baseline.

All models are loaded to memory; threads go over the pairs; each tensor of a pair is converted to
float32 and handed to `torch.dist` twice, once for its component and once for the whole.

Run as a program it prints its own time as JSON: the time begins when all models are loaded.
"""

import argparse
import json
import sys
import time
from itertools import combinations
from pathlib import Path

import torch
from safetensors.torch import load_file
from tqdm.contrib.concurrent import thread_map

Weights = dict[str, torch.Tensor]


def distance(a: Weights, b: Weights) -> tuple[dict[str, float], float]:
    """Return the L2 distance of each component of two models, and that of all together."""
    components: dict[str, list[torch.Tensor]] = {}
    for key in a.keys() & b.keys():
        apart = torch.dist(a[key].to(torch.float32), b[key].to(torch.float32), 2)
        components.setdefault(key.split("/")[0], []).append(apart)
    whole = [
        torch.dist(a[key].to(torch.float32), b[key].to(torch.float32), 2)
        for key in a.keys() & b.keys()
    ]
    return (
        {name: float(torch.stack(parts).norm()) for name, parts in components.items()},
        float(torch.stack(whole).norm()),
    )


def main() -> None:
    """Compare every `--every`-th pair of the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    models = [load_file(file) for file in given.files]
    pairs = list(combinations(models, 2))[:: given.every]
    start = time.perf_counter()
    thread_map(
        lambda pair: distance(*pair),
        pairs,
        max_workers=given.threads,
        disable=not sys.stderr.isatty(),
    )
    print(json.dumps({"pairs": len(pairs), "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
