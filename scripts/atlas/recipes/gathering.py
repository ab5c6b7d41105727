"""Gather each tensor's squares among targets and their parents, in one reading of the shards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.distances.shards import NameRows
from atlas.measures import PLACE
from atlas.recipes.component import Component
from atlas.relations.lookup import Lookup

L2 = PLACE["l2"]


@dataclass(frozen=True, eq=False)
class Gathered:
    """The squares of one component's targets with their parents."""

    targets: tuple[int, ...]
    parents: tuple[tuple[int, ...], ...]
    """Of each target, in the order of the squares' places after the target's own."""
    squares: NDArray[np.float64]
    """(tensors, targets, K, K); NaN where not compared. Beyond its parents stands the target."""

    def of(self, target: int) -> tuple[tuple[int, ...], NDArray[np.float64]]:
        """Return a target's parents and squares, (tensors, 1 + parents, 1 + parents)."""
        at = self.targets.index(target)
        size = 1 + len(self.parents[at])
        return self.parents[at], self.squares[:, at, :size, :size]


def gather(
    components: Sequence[Component],
    wanted: Sequence[Mapping[int, Sequence[int]]],
    shards: Iterable[NameRows],
) -> list[Gathered]:
    """
    Return the squares of the targets of several components.

    Parameters
    ----------
    components
        Of one group.
    wanted
        Of each component, target to its parents.
    shards
        The measured distances; of others' names nothing is taken.
    """
    plans = []
    home: dict[str, tuple[int, int]] = {}
    for number, (component, own) in enumerate(zip(components, wanted, strict=True)):
        size = 1 + max((len(parents) for parents in own.values()), default=0)
        columns = np.array(
            [[t, *parents, *[t] * (size - 1 - len(parents))] for t, parents in own.items()],
            dtype=np.intp,
        ).reshape(-1, size)
        names = component.contents.tensors["name"].to_numpy()[component.families.rows]
        home |= {name: (number, row) for row, name in enumerate(names)}
        squares = np.full((len(names), len(own), size, size), np.nan)
        plans.append((columns, squares))
    lookup = Lookup(components[0].contents) if components else None
    seen = set()
    for rows in shards:
        if rows.name in home and lookup is not None:
            seen.add(rows.name)
            number, row = home[rows.name]
            _lay(components[number], *plans[number], row, lookup, rows)
    for name in home.keys() - seen:
        number, row = home[name]
        _lay(components[number], *plans[number], row, lookup, None)
    return [
        Gathered(tuple(own), tuple(tuple(each) for each in own.values()), squares)
        for own, (_, squares) in zip(wanted, plans, strict=True)
    ]


def _lay(
    component: Component,
    columns: NDArray[np.intp],
    squares: NDArray[np.float64],
    row: int,
    lookup: Lookup | None,
    rows: NameRows | None,
) -> None:
    """Lay out the squares of one tensor."""
    if not len(columns):
        return
    held, local = np.unique(component.index[row], return_inverse=True)
    square = np.full((len(held), len(held)), np.nan)
    if rows is not None and lookup is not None:
        square = lookup.squares(held, rows, rows.measures[L2 : L2 + 1] ** 2)[0]
    np.fill_diagonal(square, 0.0)
    finite = component.contents.contents["nonfinite"].to_numpy()[np.maximum(held, 0)] == 0
    missing = (held < 0) | ~finite
    square[missing] = square[:, missing] = np.nan
    place = local[columns]
    squares[row] = square[place[:, :, None], place[:, None, :]]
