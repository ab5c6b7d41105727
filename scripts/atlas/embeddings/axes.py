"""Axes: where words lie between two others, for each text encoder."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atlas.embeddings.spaces import Space
from atlas.embeddings.word_lists import ALONE, Row

COLUMNS = [
    "model", "component", "form", "from", "to", "text", "word", "variant", "category", "score",
]  # fmt: skip


def scores(
    points: NDArray[np.float32], first: NDArray[np.float32], last: NDArray[np.float32]
) -> NDArray[np.float64]:
    """
    Return where points lie along the line between two: -1 at the first, 1 at the last.

    2 (p - m)·d / d·d with d = last - first and m the middle of both: the projection of Bolukbasi et
    al. 2016 (https://arxiv.org/abs/1607.06520), in units of half the pair's distance. NaN where
    both are equal.

    Parameters
    ----------
    points
        float32 (n, width).
    first, last
        float32 (width,).
    """
    start, end = first.astype(np.float64), last.astype(np.float64)
    direction = end - start
    length = float(direction @ direction)
    if length == 0:
        return np.full(len(points), np.nan)
    along: NDArray[np.float64] = (points.astype(np.float64) - (start + end) / 2) @ direction
    return 2 * along / length


def table(space: Space, rows: Sequence[Row], axes: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return a row for each model, axis and text; the axes' own words are left out."""
    place = {row.word: at for at, row in enumerate(rows) if row.variant == ALONE}
    parts = []
    for holder, points in zip(space.holders, space.vectors, strict=True):
        for first, last in axes:
            found = scores(points, points[place[first]], points[place[last]])
            frame = pd.DataFrame(
                {
                    "component": space.component,
                    "form": space.form,
                    "from": first,
                    "to": last,
                    "text": [row.text for row in rows],
                    "word": [row.word for row in rows],
                    "variant": [row.variant for row in rows],
                    "category": [row.category for row in rows],
                    "score": found,
                }
            )
            others = frame[~frame["text"].isin([first, last])]
            parts += [others.assign(model=model) for model in holder.models]
    return pd.concat(parts)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)
