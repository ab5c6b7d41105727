"""
Choose the 50 nearest of 2,000 models by sketch, beside all exact distances.

With `--draw PICTURE`, draw estimates against exact distances.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.basis import sealed
from atlas.fingerprints.elements.projection import SUMS, Projection, seed_of
from atlas.fingerprints.fingerprint import SCHEMA
from atlas.fingerprints.sketches import KEY, Projected, packed, read_sketches, sketch
from bench.common.lines import Line, seconds, size
from bench.common.measuring import run
from bench.fingerprints.relatives import BLOCKS, FAMILIES, SIDE, relatives

NEAREST = 50
WANTED = {1: "≥ 0.99", 10: "≥ 0.98", NEAREST: "≥ 0.9"}
"""Of so many true nearest, the share that is to be chosen."""
DRAWN = 20_000
"""Pairs whose estimates are held against exact distances."""
ROUNDING = 1e-6
"""Relative distances up to which float32 tells little: a merge of two copies is one more copy."""
OUTLIERS = 2
"""Standard errors between the lines of the picture and exactness."""


@dataclass(frozen=True)
class Found:
    """Pairs that were chosen, beside all distances."""

    exact: NDArray[np.float64]
    """Relative L2 distances of all models, float64 (models, models)."""
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    drawn: NDArray[np.float64]
    """Exact distance and estimate of pairs drawn at random, whose models differ, (2, pairs)."""
    wall: float
    peak_bytes: int

    def share_found(self, count: int) -> float:
        """Return how many of the pairs with each model's true nearest were chosen."""
        chosen = np.zeros(self.exact.shape, bool)
        chosen[self.first, self.second] = chosen[self.second, self.first] = True
        shares = []
        for model, distances in enumerate(self.exact):
            others = np.flatnonzero(distances > 0)  # a copy is chosen with the first of its kind
            distinct = others[np.sort(np.unique(distances[others], return_index=True)[1])]
            nearest = distinct[np.argsort(distances[distinct], kind="stable")[:count]]
            shares.append(chosen[model, nearest].mean())
        return float(np.mean(shares))


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Make models up, choose their pairs, and count what was found."""
    models = 300 if quick else 2000
    found = _found(folder / "nearest", models)
    pairs = models * (models - 1) // 2
    what = f"{models:,} models"
    chosen = len(found.first)
    yield Line(
        f"{what}: pairs", f"{pairs:,}", f"{chosen:,}", chosen / pairs, "" if quick else "≤ 0.06"
    )
    for count, wanted in WANTED.items():
        share = found.share_found(count)
        least = "" if quick else wanted
        yield Line(f"{what}: of the {count} nearest", f"{count}", f"{share:.1%}", share, least)
    error = (found.drawn[1] / found.drawn[0]).std()
    told = 1 / np.sqrt(2 * SUMS * len(BLOCKS))
    yield Line(f"{what}: error", f"{told:.2%} as told", f"{error:.2%}", error / told, "≤ 1.25")
    yield Line(f"{what}: time of choosing", "", seconds(found.wall))
    yield Line(f"{what}: peak memory", "", size(found.peak_bytes))


def _found(place: Path, models: int) -> Found:
    weights = relatives(models)
    for model, row in enumerate(weights):
        _write(place / "fingerprints" / f"m{model:05d}.parquet", row)
    try:
        done = run("bench.fingerprints.choose_pairs", place, NEAREST)
        table, _ = sealed.read(place / "pairs.parquet", ["a", "b"])
        files = sorted((place / "fingerprints").iterdir())
        sketches = np.stack([read_sketches(file).sums.reshape(-1) for file in files])
    finally:
        shutil.rmtree(place)
    first, second = (
        np.array([int(model[1:]) for model in table[side].to_pylist()]) for side in "ab"
    )
    exact = _exact(weights)
    drawn = _drawn(exact, sketches.astype(np.float64))
    return Found(exact, first, second, drawn, done.said["seconds"], done.peak_bytes)


def _drawn(exact: NDArray[np.float64], sketches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw pairs, half of them of a family, and return exact distances and estimates."""
    generator = np.random.default_rng(0)
    one, other = generator.integers(0, len(exact), (2, DRAWN))
    other[::2] += (one[::2] - other[::2]) % FAMILIES
    other[other >= len(exact)] -= FAMILIES
    differ = exact[one, other] > ROUNDING
    one, other = one[differ], other[differ]
    squares = np.array(
        [np.square(sketches[a] - sketches[b]).sum() for a, b in zip(one, other, strict=True)]
    )
    norms = np.sqrt(np.linalg.norm(sketches, axis=1))
    return np.stack([exact[one, other], np.sqrt(squares) / (norms[one] * norms[other])])


def _write(path: Path, weights: NDArray[np.float32]) -> None:
    """Write a fingerprint that has sketches alone."""
    tensors = []
    for block, part in zip(BLOCKS, weights.reshape(len(BLOCKS), -1), strict=True):
        name = f"unet/{block}.weight"
        projection = Projection(seed_of(name))
        projection.add(part.astype(np.float64))
        tensors.append(
            Projected(
                name=name,
                component="unet",
                block=block,
                shape=(SIDE, SIDE),
                numel=part.size,
                norm=float(np.linalg.norm(part.astype(np.float64))),
                sums=projection.sums,
            )
        )
    metadata = {KEY: packed(sketch(tensors))}
    sealed.write(SCHEMA.empty_table().replace_schema_metadata(metadata), path)


def _exact(weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return all relative distances, by products in float64: good to 1e-7 here."""
    double = weights.astype(np.float64)
    squares = (double * double).sum(axis=1)
    products = squares[:, None] + squares - 2 * double @ double.T
    near = products < 1e-9 * squares
    for one, other in zip(*np.nonzero(near), strict=True):
        products[one, other] = np.square(double[one] - double[other]).sum()
    return np.sqrt(products) / np.sqrt(np.sqrt(squares)[:, None] * np.sqrt(squares))


def draw(found: Found, picture: Path) -> None:
    """Draw estimates against exact distances, and how the errors are spread."""
    import matplotlib.pyplot as plt

    exact, estimates = found.drawn
    told = 1 / np.sqrt(2 * SUMS * len(BLOCKS))
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    left.scatter(exact, estimates, s=2, linewidths=0, color="#41608c", rasterized=True)
    bounds = [exact.min(), exact.max()]
    left.plot(bounds, bounds, color="#b5443c", linewidth=0.8)
    left.set(xscale="log", yscale="log", xlabel="exact relative L2", ylabel="by sketch")
    right.hist(100 * (estimates / exact - 1), bins=80, color="#41608c")
    for side in (-1, 1):
        right.axvline(100 * side * OUTLIERS * told, color="#b5443c", linewidth=0.8)
    right.set(xlabel="error of the estimate in %", ylabel="pairs", yticks=[])
    right.set_title(f"lines: {OUTLIERS} standard errors, {OUTLIERS * told:.1%}", fontsize=8)
    figure.suptitle("256 numbers a block tell near and far distances equally well")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.savefig(picture, dpi=150)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", type=Path, required=True, help="the picture to write")
    parser.add_argument("--models", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw(_found(Path(folder) / "nearest", given.models), given.draw)


if __name__ == "__main__":
    main()
