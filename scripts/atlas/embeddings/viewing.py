"""The tables of a group's maps as a viewer shows them: a row a text and encoder, a view a map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atlas.embeddings.spaces import Space
from atlas.embeddings.word_lists import ALONE, Row
from atlas.projection.neighbours import nearest

NEIGHBOURS = 10
MANY = 20_000
"""Points above which a page has the words alone."""
MEMORY = 200_000_000
"""Bytes that the search for neighbours works in."""


@dataclass(frozen=True)
class WordsView:
    """One map of one space."""

    component: str
    form: str
    projection: str
    alignment: str
    rows: NDArray[np.int32]
    """Which points, by their row in the table of points."""
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    neighbours: NDArray[np.int32]
    """(points, k): rows of points of the same encoder, the nearest first."""
    distances: NDArray[np.float32]
    """(points, k): 1 - cosine."""
    note: str


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page shows: distinct text encoders and the texts that there is room for."""

    points: pd.DataFrame
    """`id`, model, word, how it stands, category, moved."""
    origins: NDArray[np.int32]
    """By point, the row of the same text in the base's encoder; -1 for the base's own."""
    views: tuple[WordsView, ...]


def shown(
    found: Sequence[Space],
    rows: Sequence[Row],
    maps: dict[str, pd.DataFrame],
    drift: pd.DataFrame,
    labels: dict[str, str],
) -> Shown:
    """
    Return the points and views of a group.

    Parameters
    ----------
    found
        The group's spaces.
    rows
        Of the list.
    maps
        Projection to its table of points.
    drift
        drift.csv; `moved` is 1 - cosine in the first space of each component.
    labels
        What models are called, by id.
    """
    models = list(dict.fromkeys(holder.model for space in found for holder in space.holders))
    has_room = len(models) * len(rows) <= MANY
    kept = [at for at, row in enumerate(rows) if has_room or row.variant == ALONE]
    points = pd.DataFrame(
        [
            {
                "id": f"{labels.get(model, model)} · {rows[at].text}",
                "model": labels.get(model, model),
                "word": rows[at].word,
                "stands": rows[at].variant,
                "category": rows[at].category,
            }
            for model in models
            for at in kept
        ]
    )
    points["moved"] = _moved(models, kept, rows, drift)
    if not points["category"].any():
        points = points.drop(columns="category")
    place = {model: number * len(kept) for number, model in enumerate(models)}
    origins = np.full(len(points), -1, np.int32)
    for space in found:
        for holder in space.holders[1:]:
            start, base = place[holder.model], place[space.base.model]
            origins[start : start + len(kept)] = np.arange(base, base + len(kept))
    views = tuple(_views(found, kept, maps, place))
    return Shown(points, origins, views)


def _moved(
    models: Sequence[str], kept: Sequence[int], rows: Sequence[Row], drift: pd.DataFrame
) -> NDArray[np.float64]:
    """Return how far each point's text moved in the first space of its model; 0 in a base."""
    if not len(drift):
        return np.zeros(len(models) * len(kept))
    first = drift.drop_duplicates(["model", "text"])
    known = first.set_index(["model", "text"])["cosine_distance"]
    keys = [(model, rows[at].text) for model in models for at in kept]
    return known.reindex(pd.MultiIndex.from_tuples(keys)).fillna(0).to_numpy(float)


def _views(
    found: Sequence[Space],
    kept: Sequence[int],
    maps: dict[str, pd.DataFrame],
    place: dict[str, int],
) -> Iterator[WordsView]:
    for space in found:
        near, apart = _neighbours(space, kept, place)
        rows = np.concatenate(
            [np.arange(len(kept), dtype=np.int32) + place[each.model] for each in space.holders]
        )
        for projection, table in maps.items():
            of_it = table[(table["component"] == space.component) & (table["form"] == space.form)]
            for alignment, points in of_it.groupby("alignment", sort=False):
                own = dict(list(points.groupby("model", sort=False)))
                chosen = [own[holder.model].iloc[list(kept)] for holder in space.holders]
                yield WordsView(
                    space.component,
                    space.form,
                    projection,
                    str(alignment),
                    rows,
                    np.concatenate([part["x"].to_numpy(np.float32) for part in chosen]),
                    np.concatenate([part["y"].to_numpy(np.float32) for part in chosen]),
                    near,
                    apart,
                    _note(projection, points),
                )


def _neighbours(
    space: Space, kept: Sequence[int], place: dict[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each text's nearest by cosine among the same encoder's."""
    near, apart = [], []
    for holder, vectors in zip(space.holders, space.vectors, strict=True):
        lengths = np.linalg.norm(vectors[kept], axis=1, keepdims=True)
        units = vectors[kept] / np.maximum(lengths, np.finfo(np.float32).tiny)
        found = nearest(units, k=NEIGHBOURS, memory_bytes=MEMORY, what="words")
        near.append(found.indices.astype(np.int32) + np.int32(place[holder.model]))
        apart.append((found.distances.astype(np.float32) ** 2) / 2)  # of vectors of length 1
    return np.concatenate(near), np.concatenate(apart)


def _note(projection: str, points: pd.DataFrame) -> str:
    if projection != "pca":
        return "distances on this map mean little; who lies beside whom does"
    first, second = points.iloc[0][["explained_x", "explained_y"]]
    return f"across: component 1, {first:.0%} of the variance; up: component 2, {second:.0%}"
