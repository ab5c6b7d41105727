"""Hold sketches of checkpoints against exact distances, block by block; print errors as JSON."""

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.checkpoint import open_checkpoint
from atlas.fingerprints import fingerprint
from atlas.fingerprints.elements.decoding import decode
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.elements.reading import read_range
from atlas.fingerprints.sketches import KEY, Sketches, unpacked
from atlas.tensors.tensors import FLOATING

Block = tuple[str, str, str]
"""Component, block and layout."""


@dataclass(frozen=True)
class Model:
    """A model's weights, and its sketches."""

    weights: dict[str, tuple[tuple[str, str], NDArray[np.float64]]]
    """Tensor to its component and block, and its elements."""
    sketches: Sketches

    def sums(self) -> dict[Block, NDArray[np.float64]]:
        """Return the sketches of the blocks that have any."""
        return {
            (each.component, each.block, each.layout): sums.astype(np.float64)
            for each, sums in zip(self.sketches.blocks, self.sketches.sums, strict=True)
            if each.elements
        }


def read(path: Path) -> Model:
    """Read all weights of a checkpoint into memory."""
    held, files, weights = open_checkpoint(path), OpenFiles(), {}
    for tensor in held.tensors:
        if tensor.dtype in FLOATING:
            raw = np.empty(tensor.nbytes, np.uint8)
            read_range(files, tensor, 0, raw)
            values = decode(raw, tensor.dtype).astype(np.float64)
            weights[tensor.name] = ((tensor.component, tensor.block), values)
    return Model(weights, unpacked((fingerprint.table(held).schema.metadata or {})[KEY]))


def errors(one: Model, other: Model) -> list[float]:
    """Return the relative errors of the estimates of all blocks that differ."""
    exact: dict[tuple[str, str], float] = defaultdict(float)
    for name in one.weights.keys() & other.weights.keys():
        (place, values), (_, others) = one.weights[name], other.weights[name]
        if values.size == others.size:
            exact[place] += float(np.square(values - others).sum())
    found, mine, theirs = [], one.sums(), other.sums()
    for block in sorted(mine.keys() & theirs.keys()):
        if exact[block[:2]]:
            estimate = np.square(mine[block] - theirs[block]).sum()
            found.append(float(np.sqrt(estimate / exact[block[:2]])) - 1)
    return found


def main() -> None:
    """Compare all pairs of the checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    models = [read(path) for path in parser.parse_args().checkpoints]
    found = [error for pair in combinations(models, 2) for error in errors(*pair)]
    told = {
        "blocks": len(found),
        "mean": float(np.mean(found)),
        "standard_error": float(np.std(found)),
        "largest": float(np.abs(found).max()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
