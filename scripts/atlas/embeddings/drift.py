"""Drift: how far words moved from one text encoder to another, and how a list lies in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from atlas.embeddings.spaces import Space
from atlas.embeddings.word_lists import ALONE, Row

Values = NDArray[np.float64]

MOVES = [
    "model", "base", "component", "form", "text", "word", "variant", "category",
    "cosine_distance", "distance", "relative", "aligned_distance", "aligned_relative", "rank",
]  # fmt: skip
"""Columns of `drift_table`."""

SUMMARY = [
    "model", "component", "form", "base", "same_as", "texts", "radius", "spread",
    "largest_distance", "cosine_distance", "cosine_distance_alone", "relative",
    "aligned_relative", "aligned_by_chance",
]  # fmt: skip
"""Keys of `summary_rows`."""


@dataclass(frozen=True, eq=False)
class Drift:
    """How far each text moved."""

    cosine: Values
    """1 - cosine of the two embeddings, (n,); 0 exactly where they are equal."""
    distance: Values
    """Euclidean, (n,)."""


def drift(points: NDArray[np.float32], base: NDArray[np.float32]) -> Drift:
    """
    Return how far each text moved between two encoders, in float64.

    1 - cos = |u - v|² / 2 of the vectors of length 1: without the difference of two numbers near 1,
    so that a drift of 1e-12 is told, and none is 0. A vector of length 0 has NaN.

    Parameters
    ----------
    points, base
        float32 (n, width), row by row of the same text.
    """
    own, other = points.astype(np.float64), base.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (own, other)]
    return Drift(((units[0] - units[1]) ** 2).sum(axis=1) / 2, np.linalg.norm(own - other, axis=1))


@dataclass(frozen=True)
class Extent:
    """How a list lies in one encoder's space, in the units of its vectors."""

    radius: float
    """Mean distance of a text from the mean of all."""
    spread: float
    """Root mean square of the same."""
    largest: float
    """Largest distance of two texts."""


def extent(points: NDArray[np.float32]) -> Extent:
    """Return how texts lie around their mean; (n, width), n of at least 1."""
    wide = points.astype(np.float64)
    radii = np.linalg.norm(wide - wide.mean(axis=0), axis=1)
    largest = float(pdist(wide).max()) if len(wide) > 1 else 0.0
    return Extent(float(radii.mean()), float(np.sqrt((radii**2).mean())), largest)


def drift_table(space: Space, rows: Sequence[Row]) -> pd.DataFrame:
    """
    Return how far each text moved in each model, but the base's own: a row for each.

    `relative` is the distance over the base's mean radius; `rank` counts from the text that moved
    most by cosine, among those that stand alike (alone, upper case, sentence).
    """
    radius = extent(space.vectors[0]).radius
    parts = []
    for holder, points, laid in zip(space.holders, space.vectors, space.aligned, strict=True):
        moved, rest = drift(points, space.vectors[0]), drift(laid.points, space.vectors[0])
        frame = pd.DataFrame(
            {
                "component": space.component,
                "form": space.form,
                "text": [row.text for row in rows],
                "word": [row.word for row in rows],
                "variant": [row.variant for row in rows],
                "category": [row.category for row in rows],
                "cosine_distance": moved.cosine,
                "distance": moved.distance,
                "relative": moved.distance / radius if radius else np.nan,
                "aligned_distance": rest.distance,
                "aligned_relative": rest.distance / radius if radius else np.nan,
            }
        )
        ranks = frame.groupby("variant")["cosine_distance"].rank(method="first", ascending=False)
        frame["rank"] = ranks.astype("Int64")
        for model in holder.models:
            if model != space.base.model:
                parts.append(frame.assign(model=model, base=space.base.model))
    return pd.concat(parts, ignore_index=True)[MOVES] if parts else pd.DataFrame(columns=MOVES)


def summary_rows(space: Space, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a row for each model: how the list lies in it, and how far it moved on average."""
    alone = np.array([row.variant == ALONE for row in rows])
    found = []
    for holder, points, laid in zip(space.holders, space.vectors, space.aligned, strict=True):
        lies, moved = extent(points), drift(points, space.vectors[0])
        radius = extent(space.vectors[0]).radius or np.nan
        size = float(np.sqrt((moved.distance**2).mean())) / radius
        told = {
            "component": space.component,
            "form": space.form,
            "base": space.base.model,
            "same_as": holder.model,
            "texts": len(rows),
            "radius": lies.radius,
            "spread": lies.spread,
            "largest_distance": lies.largest,
            "cosine_distance": float(moved.cosine.mean()),
            "cosine_distance_alone": float(moved.cosine[alone].mean()),
            "relative": size,
            "aligned_relative": laid.left / radius,
            "aligned_by_chance": laid.by_chance * size,
        }
        found += [
            {"model": model, **told, "same_as": "" if model == holder.model else holder.model}
            for model in holder.models
        ]
    return found
