"""Make up fingerprints, shards and the table of a group of merges and fine-tunes; print their rows."""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.distances.plan import shard_of
from atlas.distances.shards import NameRows, writer
from atlas.measures import MEASURED, PLACE
from bench.relations import made_up

TUNES = 0.5
"""Share of the models that are fine-tunes; the others are merges of two to four earlier models."""
DIRECTIONS = 120
"""In which fine-tunes move away from their base."""
FLOOR = 0.004
"""L2 that rounding leaves of a tensor, over the distance of a fine-tune from its base."""


def main() -> None:
    """Write them below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, required=True)
    parser.add_argument("--denoiser", type=int, required=True, help="its tensors")
    parser.add_argument("--others", type=int, default=100, help="tensors of the other components")
    given = parser.parse_args()
    made = group(given.models, given.denoiser, given.others)
    made_up.write_fingerprints(made, given.folder / "fingerprints", rounding=FLOOR)
    rows = write_shards(made, squares(given.models), given.folder / "distances")
    print(json.dumps({"rows": rows}))


def group(models: int, denoiser: int, others: int) -> made_up.Group:
    """Return a group of which every denoiser is another; the other components are shared."""
    random = np.random.default_rng(0)
    names, held = [], []
    for component, count in {**dict.fromkeys(made_up.FAMILIES, others), "unet": denoiser}.items():
        families = made_up.FAMILIES.get(component)
        own = np.arange(models) if families is None else random.integers(families, size=models)
        names += [f"{component}/{number:05d}.weight" for number in range(count)]
        held += [own] * count
    return made_up.Group(names, np.array(held, dtype=np.int32))


def squares(models: int) -> NDArray[np.float64]:
    """Return squared distances of the denoisers by block, (blocks, models, models)."""
    random = np.random.default_rng(1)
    blocks, tunes = len(made_up.BLOCKS), int(TUNES * models)
    places = np.zeros((blocks, models, DIRECTIONS + models))
    for model in range(models):
        if model < tunes:
            places[:, model, model % DIRECTIONS] = 1
            places[:, model, 7 * model % DIRECTIONS] += 0.2
            continue
        parents = random.choice(model, random.integers(2, 5), replace=False)
        whole = random.dirichlet(np.ones(len(parents)), blocks)
        weights = whole if model % 2 else np.tile(whole[0], (blocks, 1))
        places[:, model] = np.einsum("bk,bkp->bp", weights, places[:, parents])
        places[:, model, DIRECTIONS + model] = FLOOR if model % 5 else 0.5
    products = np.einsum("bip,bjp->bij", places, places)
    norms = np.einsum("bii->bi", products)
    return np.maximum(norms[:, :, None] + norms[:, None] - 2 * products, 0)


def write_shards(made: made_up.Group, between: NDArray[np.float64], folder: Path) -> int:
    """Write shards of all pairs of contents of every name; return their rows."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(2)
    order = sorted(range(len(made.names)), key=made.names.__getitem__)
    total = 0
    for shard in range(made_up.SHARDS):
        with writer(folder / f"{shard}.parquet") as file:
            for row in order:
                name = made.names[row]
                if shard_of(name, made_up.SHARDS) != shard:
                    continue
                held = dict(zip(made.digest(row).tolist(), made.held[row].tolist(), strict=True))
                digests = sorted(held)
                first, second = np.triu_indices(len(digests), k=1)
                contents = np.array([held[digest] for digest in digests])
                measures = random.random((len(MEASURED), first.size))
                measures[0] = np.floor(made_up.NUMEL * measures[0])
                if name.startswith("unet/"):
                    block = made_up.block_number(int(name[-12:-7]))
                    own = between[block][contents[first], contents[second]]
                    measures[PLACE["l2"]] = np.sqrt(own)
                total += first.size
                file.add(
                    NameRows(
                        name,
                        digests,
                        first.astype(np.int32),
                        second.astype(np.int32),
                        np.full(first.size, made_up.NUMEL, np.int64),
                        measures,
                        made_up.METHOD,
                    )
                )
    return total


if __name__ == "__main__":
    main()
