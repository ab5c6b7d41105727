"""Lay maps of the same samples over one another: how true, how still, how long, by five ways."""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.projection.maps import aligned, drawn, turned
from atlas.projection.trust import trustworthiness
from bench.common.lines import Line, seconds

SHARES = (0.35, 0.5, 0.65, 0.8, 1.0)
"""Of the image in each slice; the rest is noise."""
NEIGHBOURS = 15
MEMORY = 1 << 28
OWN = "each from the one before, turned"

Slices = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Way:
    """Maps made by one way."""

    maps: Slices
    trust: float
    """Mean trustworthiness."""
    drift: float
    """Mean step of a sample between two maps, in units of the maps' radius (root mean square)."""
    seconds: float


def measure(folder: Path, *, quick: bool) -> Iterator[Line]:
    """Yield trust, drift and time of ours beside the two usual ways."""
    ways = compared(slices_of_digits(300 if quick else None)[0])
    own = ways[OWN]
    for name in ("separate, turned", "AlignedUMAP"):
        other = ways[name]
        yield Line(
            f"{name}: 1 - trustworthiness",
            f"{1 - other.trust:.4f}",
            f"{1 - own.trust:.4f}",
            (1 - own.trust) / (1 - other.trust),
            "≤ 1.01",
        )
        drift = own.drift / other.drift
        wanted = "≤ 0.75" if name == "separate, turned" else ""
        yield Line(f"{name}: drift", f"{other.drift:.2f}", f"{own.drift:.2f}", drift, wanted)
        yield Line(
            f"{name}: time",
            seconds(other.seconds),
            seconds(own.seconds),
            own.seconds / other.seconds,
            "≤ 1.2",
        )


def slices_of_digits(count: int | None = None) -> tuple[Slices, NDArray[np.int64]]:
    """Return slices of scikit-learn's digits out of noise, every second one turned, and labels."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = images[:count].astype(np.float32) / 16
    images -= images.mean(axis=0)
    generator = np.random.default_rng(0)
    noise = 0.35 * generator.standard_normal(images.shape, np.float32)
    turn = np.linalg.qr(generator.standard_normal((64, 64), np.float32))[0]
    turns = (np.eye(64, dtype=np.float32), turn)
    slices = [
        (share * images + (1 - share) * noise) @ turns[number % 2]
        for number, share in enumerate(SHARES)
    ]
    return slices, labels[:count]


def compared(slices: Slices) -> dict[str, Way]:
    """Return the slices' maps by each way."""
    drawn(slices[0][:50], seed=1)  # compiles, as the next line does
    _aligned_umap([scores[:50] for scores in slices])
    separate = _timed(slices, lambda: [drawn(scores, seed=0) for scores in slices])
    started = _timed(slices, lambda: _each_from_the_one_before(slices))
    return {
        "separate": separate,
        "separate, turned": _way(slices, _all_turned(separate.maps), separate.seconds),
        "each from the one before": started,
        OWN: _timed(slices, lambda: aligned(slices, seed=0)),
        "AlignedUMAP": _timed(slices, lambda: _aligned_umap(slices)),
    }


def _each_from_the_one_before(slices: Slices) -> Slices:
    from umap import UMAP

    maps: Slices = []
    for scores in slices:
        start: Any = maps[-1].copy() if maps else "spectral"
        maps.append(UMAP(init=start, random_state=0, n_jobs=1).fit_transform(scores))
    return maps


def _all_turned(maps: Slices) -> Slices:
    found = maps[:1]
    for points in maps[1:]:
        found.append(turned(points, found[-1]))
    return found


def _aligned_umap(slices: Slices) -> Slices:
    from umap import AlignedUMAP

    same = [{sample: sample for sample in range(len(slices[0]))}] * (len(slices) - 1)
    made = AlignedUMAP(n_neighbors=NEIGHBOURS, random_state=0, transform_seed=0)
    return [np.asarray(points) for points in made.fit(slices, relations=same).embeddings_]


def _timed(slices: Slices, make: Callable[[], Slices]) -> Way:
    start = time.perf_counter()
    maps = make()
    return _way(slices, maps, time.perf_counter() - start)


def _way(slices: Slices, maps: Slices, taken: float) -> Way:
    trust = [
        trustworthiness(
            scores, points, neighbours=NEIGHBOURS, memory_bytes=MEMORY, seed=0, most=len(points)
        ).value
        for scores, points in zip(slices, maps, strict=True)
    ]
    return Way(maps, float(np.mean(trust)), drift_of(maps), taken)


def drift_of(maps: Sequence[NDArray[np.float32]]) -> float:
    """Return the mean step of a sample from map to map, in units of their radius."""
    radius = np.sqrt(np.mean([points.var(axis=0).sum() for points in maps]))
    steps = [np.linalg.norm(one - other, axis=1).mean() for one, other in pairwise(maps)]
    return float(np.mean(steps) / radius)


def draw(ways: dict[str, Way], labels: NDArray[np.int64], picture: Path) -> None:
    """Draw three ways below one another, the slices side by side, as a PNG."""
    from PIL import Image

    from atlas.plots import style
    from atlas.plots.layout import open_page
    from atlas.plots.marks import Mark

    colours = np.array([*style.QUALITATIVE, style.WITHOUT_FAMILY])
    rows = {
        "separate, turned": "Separate maps, turned onto one another",
        OWN: "Each started from the one before, then turned: what is done here",
        "AlignedUMAP": "umap.AlignedUMAP",
    }
    side, gap, head = 1.3, 0.08, 0.5
    with style.applied():
        page = open_page(
            title="Starting each map from the one before holds samples in their places",
            subtitle=f"UMAP of {len(labels):,} digits out of noise; above each, the image's share",
            width=len(SHARES) * (side + gap),
            height=len(rows) * (side + head) - 0.1,
            legend=[Mark(str(digit), str(colours[digit])) for digit in range(10)],
        )
        for row, (name, words) in enumerate(rows.items()):
            way = ways[name]
            top = row * (side + head) + head - 0.1
            page.write(0.0, top - 0.28, words, weight="bold")
            told = f"trustworthiness {way.trust:.3f}, drift {way.drift:.2f}"
            beside = style.text_width(words, style.SMALL, "bold") + 0.12
            page.write(beside, top - 0.28, told, color=style.SOFT)
            spread = np.concatenate(way.maps)
            low, high = spread.min(axis=0), spread.max(axis=0)
            middle, reach = (low + high) / 2, (high - low).max() * 0.52
            for column, (points, share) in enumerate(zip(way.maps, SHARES, strict=True)):
                left = column * (side + gap)
                page.write(left, top - 0.1, f"{100 * share:.0f} %", color=style.SOFT)
                axes = page.axes(left, top, side, side)
                axes.scatter(*points.T, s=1.0, c=colours[labels], linewidths=0)
                axes.set_xlim(middle[0] - reach, middle[0] + reach)
                axes.set_ylim(middle[1] - reach, middle[1] + reach)
                axes.set_xticks([])
                axes.set_yticks([])
                for spine in axes.spines.values():
                    spine.set(visible=True, color=style.FAINT)
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.figure.savefig(picture, dpi=130, metadata={"Software": None})
    Image.open(picture).convert("RGB").quantize(96).save(picture, optimize=True)


def main() -> None:
    """Compare, print, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", type=Path, required=True, help="a PNG")
    given = parser.parse_args()
    slices, labels = slices_of_digits()
    ways = compared(slices)
    for name, way in ways.items():
        print(f"{name:36} {way.trust:.4f}  {way.drift:.2f}  {way.seconds:.0f} s")
    draw(ways, labels, given.draw)


if __name__ == "__main__":
    main()
