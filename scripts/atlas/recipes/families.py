"""Which models of a group hold the same in a component, or the same but rounded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.relations.contents import Contents
from atlas.tensors.tensors import ITEM_BYTES

Index = NDArray[np.int32]

FIRST_ROWS = 16
"""Tensors that are looked at before all are: models that are no relatives differ there."""


@dataclass(frozen=True, eq=False)
class Families:
    """
    A component's models: those that are alike are one candidate, for which one of them stands.

    Models are places in the group.
    """

    component: str
    rows: NDArray[np.intp]
    """The component's tensors, as places in `Contents.tensors`."""
    holders: tuple[int, ...]
    """Models of which any tensor of the component was read, in order of id."""
    family: dict[int, int]
    """Holder to the model that stands for its family: of widest dtypes, then first by id."""
    same: dict[int, int]
    """Holder to the first by id that has the same weights bit for bit; of the leader itself, it."""
    source: dict[int, int]
    """Holder to the model of which it is a rounded copy; those that are none are not here."""

    @property
    def leaders(self) -> list[int]:
        """The models that stand for families, in order of id."""
        return sorted(set(self.family.values()))

    def alike(self, model: int) -> list[int]:
        """Return the other models of a model's family."""
        own = self.family[model]
        return [each for each in self.holders if self.family[each] == own and each != model]


def families(contents: Contents, component: str) -> Families:
    """Return the families of one component."""
    rows = np.flatnonzero((contents.tensors["component"] == component).to_numpy())
    index = contents.index[rows]
    unread = np.array([component in each for each in contents.unread], dtype=bool)
    holders = np.flatnonzero((index >= 0).any(axis=0) & ~unread)
    ids = np.array(contents.models)
    holders = holders[np.argsort(ids[holders], kind="stable")]
    same: dict[int, int] = {}
    first: dict[bytes, int] = {}
    for model in holders.tolist():
        same[model] = first.setdefault(np.ascontiguousarray(index[:, model]).tobytes(), model)
    distinct = list(dict.fromkeys(same.values()))
    gives = _gives(contents, index[:, distinct])
    width = _widths(contents, index[:, distinct])
    leader, source = _led(gives, width)
    stands = {own: distinct[at] for own, at in zip(distinct, leader, strict=True)}
    return Families(
        component,
        rows,
        tuple(holders.tolist()),
        {model: stands[own] for model, own in same.items()},
        same,
        {
            model: distinct[source[distinct.index(own)]]
            for model, own in same.items()
            if distinct.index(own) in source
        },
    )


def _gives(contents: Contents, index: Index) -> NDArray[np.bool_]:
    """Return where all tensors of a model are another's, or it rounded: (sources, copies)."""
    count = index.shape[1]
    found = np.eye(count, dtype=bool)
    present = np.unique(index[index >= 0])
    if not contents.is_rounding[present].any():
        return found
    for source in range(count):
        alive = np.arange(count)
        for rows in (slice(0, FIRST_ROWS), slice(FIRST_ROWS, None)):
            of, copies = index[rows, source][:, None], index[rows][:, alive]
            fits = contents.gives(np.broadcast_to(of, copies.shape), copies)
            alive = alive[(fits | ((of < 0) & (copies < 0))).all(axis=0)]
        found[source, alive] = True
    return found


def _widths(contents: Contents, index: Index) -> NDArray[np.int64]:
    """Return how many bytes each model's tensors take."""
    item = np.array([ITEM_BYTES.get(dtype, 0) for dtype in contents.contents["dtype"]])
    size = item * contents.contents["numel"].to_numpy(np.int64)
    return np.asarray(np.where(index >= 0, size[np.maximum(index, 0)], 0).sum(axis=0))


def _led(gives: NDArray[np.bool_], width: NDArray[np.int64]) -> tuple[list[int], dict[int, int]]:
    """Return the place that stands for each place, and of those that are rounded their source."""
    order = sorted(range(len(width)), key=lambda at: (-width[at], at))
    source: dict[int, int] = {}
    for copy in order:
        wider = (at for at in order if gives[at, copy] and not gives[copy, at])
        if (found := next(wider, None)) is not None:
            source[copy] = found

    def root(at: int) -> int:
        while at in source:
            at = source[at]
        return at

    members: dict[int, list[int]] = defaultdict(list)
    for at in order:
        members[root(at)].append(at)
    leader = [members[root(at)][0] for at in range(len(width))]
    return leader, source
