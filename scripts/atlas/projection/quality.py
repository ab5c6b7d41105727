"""Quality: how far a map can be believed, as rows of a table with what chance alone would give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from atlas.basis.errors import AtlasError
from atlas.projection.alignment import mutual_neighbours, mutual_null
from atlas.projection.maps import drawn
from atlas.projection.neighbours import Neighbours, nearest
from atlas.projection.rows import Rows
from atlas.projection.shuffling import cliques_of, edges_of, shuffled
from atlas.projection.trust import trustworthiness

LEADING = 5
"""Components that are set against numeric columns."""
SEEDS = 3


@dataclass(frozen=True)
class Quality:
    """One figure."""

    measure: str
    """"trustworthiness", "kept", "purity", "pearson", "spearman" or "stability"."""
    of: str
    """What it is of: "map", "activations: digit", "map: digit", "PC1: difficulty"."""
    value: float
    """NaN where it is not defined."""
    chance: float
    """What the measure is on average where there is nothing to find; NaN where nobody knows."""
    spread: float
    """Standard deviation about chance where there is nothing to find; NaN where nobody knows."""
    note: str
    """On how many samples, with which k, and what was left out."""


def quality(
    rows: Rows,
    scores: NDArray[np.float32],
    points: NDArray[np.float32],
    found: Neighbours,
    *,
    labels: Mapping[str, Sequence[object]],
    numbers: Mapping[str, Sequence[float | None]],
    seed: int,
    memory_bytes: int,
    neighbours: int = 15,
    min_dist: float = 0.1,
    metric: str = "euclidean",
    space: str = "activations",
) -> list[Quality]:
    """
    Return all figures of one map.

    Parameters
    ----------
    rows
        Shape (n, ...): what was embedded.
    scores
        Shape (n, c): their components.
    points
        Shape (n, 2): the map, drawn of the scores with the settings that follow.
    found
        The k nearest in `rows`; the map's are compared with as many.
    labels
        Columns of n labels; None or NaN is none.
    numbers
        Columns of n numbers; None or NaN is none.
    seed, neighbours, min_dist, metric
        As the map was drawn: two more are drawn of the next two seeds.
    memory_bytes
        As of `nearest`.
    space
        What the rows are called in `of` and in messages.
    """
    k = found.indices.shape[1]
    trust = trustworthiness(
        rows,
        points,
        neighbours=neighbours,
        memory_bytes=memory_bytes,
        seed=seed,
        what=space,
    )
    count = rows.shape[0]
    exact = "all" if trust.samples == count else f"{trust.samples:,} of {count:,}"
    note = f"k = {trust.neighbours}, on {exact} samples"
    lines = [Quality("trustworthiness", "map", trust.value, trust.chance, float("nan"), note)]
    if k:
        on_map = nearest(points, k=k, memory_bytes=memory_bytes, what="map")
        lines.append(kept(found, on_map))
        for name, column in labels.items():
            lines.append(purity(found, column, of=f"{space}: {name}"))
            lines.append(purity(on_map, column, of=f"map: {name}"))
    for name, values in numbers.items():
        lines += correlations(scores, values, of=name)
    more = [
        drawn(scores, seed=seed + step, neighbours=neighbours, min_dist=min_dist, metric=metric)
        for step in range(1, SEEDS)
    ]
    lines.append(stability([points, *more], k=neighbours, memory_bytes=memory_bytes))
    return lines


def kept(found: Neighbours, on_map: Neighbours) -> Quality:
    """Return the mean share of a sample's nearest neighbours that are nearest on the map too."""
    null = mutual_null(found, on_map)
    note = f"k = {found.indices.shape[1]}"
    return Quality("kept", "map", mutual_neighbours(found, on_map), null.mean, null.spread, note)


def purity(found: Neighbours, labels: Sequence[object], *, of: str) -> Quality:
    """
    Return the mean share of a sample's nearest neighbours that have its label.

    Samples without a label are left out, as neighbours too. Chance is Σ_c n_c (n_c - 1) / (n (n -
    1)): the share of pairs of equal labels, which shuffled labels have on average; its spread is
    known where no label is missing.
    """
    indices = found.indices
    if len(labels) != len(indices):
        raise AtlasError(f"{of}: {len(labels):,} labels of {len(indices):,} samples")
    codes = _codes(labels)
    has = codes >= 0
    sizes = np.bincount(codes[has]).astype(np.float64)
    count = int(has.sum())
    compared = has[:, None] & has[indices]
    equal = (codes[:, None] == codes[indices]) & compared
    of_each = compared.sum(axis=1)
    counted = of_each > 0
    value = chance = spread = float("nan")
    if counted.any():
        value = float((equal.sum(axis=1)[counted] / of_each[counted]).mean())
        chance = float((sizes * (sizes - 1)).sum() / (count * (count - 1)))
    if counted.any() and has.all():
        spread = shuffled(edges_of(indices), cliques_of(sizes)).spread / indices.size
    note = f"k = {indices.shape[1]}, {len(sizes)} labels"
    if count < len(codes):
        note += f", {len(codes) - count:,} of {len(codes):,} samples have none"
    return Quality("purity", of, value, chance, spread, note)


def correlations(
    scores: NDArray[np.floating[Any]], values: Sequence[float | None], *, of: str
) -> list[Quality]:
    """
    Return Pearson's and Spearman's r of each leading component with a numeric column.

    Without any relation r is 0 on average, with a standard deviation of 1 / √(n - 1), exactly so
    over all orders of the values. A component's sign is a convention: the size of r counts.
    """
    if len(values) != len(scores):
        raise AtlasError(f"{of}: {len(values):,} values of {len(scores):,} samples")
    column = np.array([np.nan if value is None else value for value in values], np.float64)
    has = np.isfinite(column)
    count = int(has.sum())
    spread = float(1 / np.sqrt(count - 1)) if count > 1 else float("nan")
    note = f"{count:,} of {len(column):,} samples"
    lines = []
    for number in range(min(LEADING, scores.shape[1])):
        pair = scores[has, number].astype(np.float64), column[has]
        ranked = tuple(map(rankdata, pair)) if count else pair
        for measure, (one, other) in (("pearson", pair), ("spearman", ranked)):
            value = _pearson(one, other)
            lines.append(Quality(measure, f"PC{number + 1}: {of}", value, 0.0, spread, note))
    return lines


def stability(maps: Sequence[NDArray[np.float32]], *, k: int, memory_bytes: int) -> Quality:
    """
    Return the mean share of k nearest neighbours that two maps of other seeds have in common.

    Neighbours, not places: UMAP's seeds turn and mirror a map and put its islands elsewhere, and
    what is left of that after Procrustes says nothing of what one reads off a map, who lies beside
    whom. Chance is k / (n - 1).

    Parameters
    ----------
    maps
        Each of shape (n, 2), of the same scores.
    k
        Clipped to n - 1.
    memory_bytes
        As of `nearest`.
    """
    count = len(maps[0])
    k = min(k, count - 1)
    note = f"k = {k}, {len(maps)} seeds"
    if k < 1 or len(maps) < 2:
        return Quality("stability", "map", float("nan"), float("nan"), float("nan"), note)
    found = [nearest(points, k=k, memory_bytes=memory_bytes, what="map") for points in maps]
    shares = [mutual_neighbours(one, other) for one, other in combinations(found, 2)]
    return Quality("stability", "map", float(np.mean(shares)), k / (count - 1), float("nan"), note)


def _codes(labels: Sequence[object]) -> NDArray[np.int64]:
    """Return a number for each label, -1 for none, shape (n,)."""
    known: dict[object, int] = {}
    return np.array(
        [
            -1 if label is None or label != label else known.setdefault(label, len(known))
            for label in labels
        ],
        np.int64,
    )


def _pearson(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return Pearson's r, NaN where one is constant or there are fewer than two values."""
    if len(one) < 2 or not np.ptp(one) or not np.ptp(other):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
