"""Which pairs of models are told in full: all of a small group, near ones of a large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atlas.relations import matrices
from atlas.relations.matrices import Matrix

LEADERS = ("unet", "transformer", "controlnet", "network", "all")
"""Components that say who is near whom, the first that several models have before the others."""
MEASURES = ("relative_l2", "l2")
"""What is near, by the first of these that the matrices have."""


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Pairs of a group's models, each as two places in `ids`: (first < second), sorted."""

    ids: tuple[str, ...]
    """The models, in the matrices' order."""
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    base: str | None
    """The model of which all pairs are among them; None of a group without matrices."""
    nearest: int | None
    """How many of each model's nearest are among them; None where they are all pairs."""

    def __len__(self) -> int:
        return len(self.first)

    @property
    def are_all(self) -> bool:
        """Whether every two models of the group are a pair here."""
        return self.nearest is None

    def places(self, models: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the pairs as places in another list of these models: (first < second), sorted."""
        at = {model: place for place, model in enumerate(models)}
        place = np.array([at[model] for model in self.ids], dtype=np.int32)
        ends = np.sort(np.stack([place[self.first], place[self.second]]), axis=0)
        first, second = ends[:, np.lexsort(ends[::-1])]
        return first, second


def near_pairs(found: Mapping[str, Matrix], base: str | None, most: int) -> NearPairs:
    """
    Return the pairs to tell in full: all where they are at most so many, else the near ones.

    The near ones are those of the base, however many, and those of each model with its k nearest:
    k is the largest number with which all of them together are at most so many. Where the leading
    component of two was not compared, they stand behind those where it was, by the next component,
    and where none was, they are not near. Of two that are as near, the one whose id sorts first is
    nearer, so the order of the roster matters to nothing but to a base that is not given.

    Parameters
    ----------
    found
        Component to the matrix of its distances, all of the same models in one order. Without any
        there is nothing to tell, and no pair.
    base
        The model of which all pairs are wanted; None for the first.
    most
        How many pairs there may be.
    """
    ids = next((matrix.ids for matrix in found.values()), ())
    first, second = np.triu_indices(len(ids), k=1)
    start = next(iter(ids), None) if base is None else base
    nearest = None
    if start is not None and len(first) > most:
        reach = _reach(found, ids)[first, second]
        reach[(first == ids.index(start)) | (second == ids.index(start))] = 0
        counts = np.cumsum(np.bincount(reach, minlength=len(ids) + 1))[: len(ids)]
        nearest = max(0, int(np.searchsorted(counts, most, side="right")) - 1)
        near = reach <= nearest
        first, second = first[near], second[near]
    return NearPairs(ids, first.astype(np.int32), second.astype(np.int32), start, nearest)


def read_distances(folder: Path) -> dict[str, Matrix]:
    """Return a folder's matrices of what is near, by component: relative L2, else L2."""
    found: dict[str, Matrix] = {}
    for measure in MEASURES:
        for file in sorted(folder.glob(f"*.{measure}.csv")):
            component = matrices.component_of(file.name.removesuffix(f".{measure}.csv"))
            if component not in found:
                found[component] = matrices.read(file, component=component, measure=measure)
    return found


def in_turn(found: Mapping[str, Matrix]) -> list[Matrix]:
    """Return matrices in the order in which they say what is near: LEADERS, then by name."""
    rank = {component: place for place, component in enumerate(LEADERS)}
    order = sorted(found, key=lambda component: (rank.get(component, len(rank)), component))
    return [found[component] for component in order if _holders(found[component]) > 1]


def _holders(matrix: Matrix) -> int:
    """Return how many models have the component at all."""
    return int(matrix.identical.diagonal().sum())


def _reach(found: Mapping[str, Matrix], ids: tuple[str, ...]) -> NDArray[np.int64]:
    """
    Return which of the other's nearest each of two is, the better of the two ranks, from 1.

    Shape (N, N), symmetric. Where they were never compared, N: nobody has so many others.
    """
    size = len(ids)
    level = np.full((size, size), np.iinfo(np.int64).max)
    value = np.zeros((size, size))
    for place, matrix in reversed(list(enumerate(in_turn(found)))):
        distance = np.where(matrix.identical, 0.0, matrix.values)
        if matrix.ambiguous_zeros:
            distance = np.where(distance == 0, np.nan, distance)
        told = ~np.isnan(distance)
        level[told], value[told] = place, distance[told]
    unknown = level == np.iinfo(np.int64).max
    np.fill_diagonal(unknown, True)
    level[unknown] = np.iinfo(np.int64).max
    by_id = np.empty(size, np.int64)
    by_id[sorted(range(size), key=ids.__getitem__)] = np.arange(size)
    order = np.lexsort((np.broadcast_to(by_id, level.shape), value, level), axis=-1)
    rank = np.empty((size, size), np.int64)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(1, size + 1), order.shape), axis=-1)
    rank[unknown] = size
    return np.minimum(rank, rank.T)
