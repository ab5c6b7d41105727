"""Count how often bounds by sketch hold the exact distance of checkpoints; print shares as JSON."""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

from atlas.library.intervals import estimate, rounding
from bench.fingerprints.estimates import Model, read


def bounds(one: Model, other: Model, *, by_block: bool) -> list[bool]:
    """Return whether the bounds hold of each component, or block, in which two models differ."""
    parts: dict[tuple[str, ...], list[tuple[float, float, float]]] = {}
    sums = [model.sums() for model in (one, other)]
    for key in sorted(sums[0].keys() & sums[1].keys()):
        difference = sums[0][key] - sums[1][key]
        noise = sum(float(rounding(each[key].astype(np.float32))) for each in sums)
        told = float(np.square(difference).sum()), noise, _exact(one, other, key[:2])
        parts.setdefault(key[:2] if by_block else key[:1], []).append(told)
    found = []
    for blocks in parts.values():
        squares, noise, exact = np.array(blocks).T
        if exact.sum() > 0:
            bound = estimate(squares, noise)
            found.append(bool(bound.low <= np.sqrt(exact.sum()) <= bound.high))
    return found


def _exact(one: Model, other: Model, place: tuple[str, ...]) -> float:
    return sum(
        float(np.square(values - other.weights[name][1]).sum())
        for name, (at, values) in one.weights.items()
        if at == place and name in other.weights and other.weights[name][1].size == values.size
    )


def main() -> None:
    """Compare all pairs of the checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    models = [read(path) for path in parser.parse_args().checkpoints]
    told = {}
    for what, by_block in (("components", False), ("blocks", True)):
        held = [
            each for pair in combinations(models, 2) for each in bounds(*pair, by_block=by_block)
        ]
        told[what] = {"differ": len(held), "held": float(np.mean(held))}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
