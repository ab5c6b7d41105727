"""
Which models can't hang on merges, and can't be parents of what was merged.

A merge lies in the middle of its parents, and so does what was tuned from it: the parents, and their
base, are nearer to these than to one another. A least tree would hang them there.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx
import numpy as np
import numpy.typing as npt

from atlas.lineage.holders import Holders
from atlas.lineage.rivals import Accepted

BEHIND = 0.25
"""
By how much the angle between two steps may differ from a right one, as a share of the later step's square.

What was tuned from m is farther from all others than m is, by the square of its step: by 1. A tune of the
base of n parents that are as far from it is farther than their merge by (n − 1) / (n + 1), the base by
−1.
"""

Flags = npt.NDArray[np.bool_]


def shortcuts(holders: Holders, accepted: Accepted, base: int | None) -> set[tuple[int, int]]:
    """
    Return pairs (child, parent) that can't be.

    Only what lies behind a merge, as others see it (`_behind`), may hang on it; and what was merged
    does not hang on what lies behind the merge: on contents whose nearest relative it is, and so on.
    """
    if not accepted.recipes:
        return set()
    near = np.where(holders.fair, holders.distances, np.inf)
    nearest = near.argmin(axis=1)
    above: dict[int, set[int]] = {
        number: set(nx.ancestors(accepted.graph, number)) for number in accepted.recipes
    }
    kin = {number: _kin(number, accepted) for number in accepted.recipes}
    behind = {
        number: _behind(number, holders, nearest, kin[number], recipe.parents)
        for number, recipe in accepted.recipes.items()
    }
    waiting = [
        number
        for number in range(len(near))
        if number not in above and number != base and np.isfinite(near[number]).any()
    ]
    while True:
        found = {
            number: before
            for number in waiting
            if (before := int(nearest[number])) in above and behind[before][number]
        }
        if not found:
            break
        for number, before in found.items():
            above[number], kin[number] = above[before], kin[before]
            behind[number] = _behind(number, holders, nearest, kin[number], (before,))
        waiting = [number for number in waiting if number not in above]
    told = {(child, parent) for parent, ancestors in above.items() for child in ancestors}
    for parent in accepted.recipes:
        told |= {
            (child, parent)
            for child in np.flatnonzero(holders.fair[parent] & ~behind[parent]).tolist()
            if child not in accepted.recipes
        }
    return told


def _kin(number: int, accepted: Accepted) -> set[int]:
    """Return what some contents were merged from, and what was merged from them."""
    return nx.ancestors(accepted.graph, number) | nx.descendants(accepted.graph, number)


def _behind(
    before: int,
    holders: Holders,
    nearest: npt.NDArray[np.intp],
    kin: set[int],
    parents: Iterable[int],
) -> Flags:
    """
    Tell which contents lie behind some, as their parents and others see it: shape (contents,).

    The others are kin of neither. Where there are none, the initialisation is one: the square of the
    norm is larger by as much.
    """
    squares = holders.distances**2
    size = len(squares)
    # others[x, c]: whether c tells of x
    others = holders.fair & holders.fair[before] & (nearest[None, :] != np.arange(size)[:, None])
    others[:, [*kin, before]] = False
    counts = others.sum(axis=1)
    farther = squares - squares[before]
    sums = np.where(others, np.nan_to_num(farther), 0.0).sum(axis=1)
    growth = holders.norms**2 - holders.norms[before] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = np.column_stack(
            [np.where(counts > 0, sums / counts, growth), farther[:, [*parents]]]
        )
        shares = seen / squares[before][:, None]
        return np.asarray((np.abs(shares - 1) <= BEHIND).all(axis=1))
