"""
Search for the few parents of a target that explain all blocks of a component.

A beam search: it starts from the best pairs of all, of which each has a closed form, and adds one
candidate after another. A set is worth Σ over blocks of n ln(squared residual) + 20 k ln n: less is
better. A residual below what rounding and measuring leave is worth no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.recipes import affine

Array = NDArray[np.float64]

WIDTH = 6
"""Sets that are pursued at a time."""
PAIRS = 60
"""Pairs that are solved in all blocks, of those that are the best in PAIR_BLOCKS blocks."""
PAIR_BLOCKS = 6
PENALTY = 20.0
"""Times ln n, for each parent: in place of the 2 of AIC or the 1 of BIC, as candidates are many."""
EXCHANGES = 12
"""Largest number of members that are exchanged, one after another."""
ALIKE = 1e-12
"""Relative: worths that differ by less are equal, as of sets that leave what rounding does."""
WIDER = 1.0 + 1e-9
COLLINEAR = 1e-5
"""A candidate is no new direction if its squared distance from a set's span is below so much."""


@dataclass(frozen=True, eq=False)
class Problem:
    """One target against its candidates, block by block."""

    between: Array
    """Squared distances of candidates, (blocks, N, N)."""
    to_target: Array
    """(blocks, N)."""
    elements: Array
    """(blocks,)."""
    least: Array
    """Squared residual beyond which nothing is gained, (blocks,), above 0."""

    @property
    def cost(self) -> float:
        """What one more parent costs."""
        return float(PENALTY * np.log(self.elements).sum())

    @property
    def room(self) -> float:
        """Sets whose worth differs by less are equally good."""
        return float(PENALTY * np.log(self.elements.sum()))

    def worth(self, residual: Array) -> Array:
        """Return Σ n ln(residual) over blocks, the first axis."""
        shape = (-1,) + (1,) * (residual.ndim - 1)
        least, elements = self.least.reshape(shape), self.elements.reshape(shape)
        return np.asarray((elements * np.log(np.maximum(residual, least))).sum(axis=0))

    def part(self, members: Iterable[int]) -> tuple[Array, Array]:
        """Return the squares among members, (blocks, k, k), and to the target, (blocks, k)."""
        places = np.array(list(members), np.intp)
        return self.between[:, places[:, None], places], self.to_target[:, places]


@dataclass(frozen=True, eq=False)
class Found:
    """A set of parents."""

    members: tuple[int, ...]
    """Sorted."""
    weights: Array
    """(blocks, k)."""
    residual: Array
    """Squared, (blocks,)."""
    worth: float
    """With what its members cost: less is better."""
    spread: float
    """How far the members are from the target: Σ w d², over blocks."""


def solved(problem: Problem, members: Iterable[int], *, convex: bool) -> Found:
    """Return a set of parents with its weights."""
    return solved_all(problem, [tuple(members)], convex=convex)[0]


def solved_all(problem: Problem, sets: Sequence[tuple[int, ...]], *, convex: bool) -> list[Found]:
    """Return several sets of parents, all of one size, with their weights."""
    if not sets:
        return []
    members = np.sort(np.array(sets, np.intp), axis=1)
    between = problem.between[:, members[:, :, None], members[:, None, :]]
    to_target = problem.to_target[:, members]
    solve = affine.convex if convex else affine.system
    weights = solve(between, to_target).weights
    residual = affine.residual_squares(weights, between, to_target)
    worth = problem.worth(residual) + problem.cost * members.shape[1]
    spread = (np.abs(weights) * to_target).sum(axis=(0, 2))
    return [
        Found(tuple(own), weights[:, at], residual[:, at], float(worth[at]), float(spread[at]))
        for at, own in enumerate(members.tolist())
    ]


def search(problem: Problem, *, convex: bool, most: int) -> list[Found]:
    """
    Return the sets that were come upon last at each size, the best first.

    Parameters
    ----------
    convex
        Admit weights from 0 to 1 alone; else any that sum to 1.
    most
        Largest number of parents.
    """
    count = problem.to_target.shape[1]
    singles = problem.worth(problem.to_target) + problem.cost
    order = np.lexsort((np.arange(count), singles))[:WIDTH]
    found: dict[tuple[int, ...], Found] = {
        each.members: each
        for each in solved_all(problem, [(int(i),) for i in order], convex=convex)
    }
    if count > 1 and most > 1:
        beam = _best(solved_all(problem, _pairs(problem, convex=convex), convex=convex))
        found |= {each.members: each for each in beam}
        for _ in range(2, min(most, count)):
            best = min(each.worth for each in found.values())
            if (np.concatenate([each.residual for each in beam[:1]]) <= problem.least).all():
                break
            wider = {
                tuple(sorted((*each.members, add)))
                for each in beam
                for add in _additions(problem, each, convex=convex)
            }
            beam = _best(solved_all(problem, sorted(wider - set(found)), convex=convex))
            if not beam:
                break
            found |= {each.members: each for each in beam}
            if beam[0].worth > best + problem.cost:
                break
    first, *others = _best(found.values())
    top = [_exchanged(problem, first, convex=convex), *others]
    return _ranked(problem, [*found.values(), *(_fewer(problem, each, convex) for each in top)])


def _pairs(problem: Problem, *, convex: bool) -> list[tuple[int, int]]:
    """Return the pairs of candidates that are the best in a few of the blocks."""
    count = problem.to_target.shape[1]
    i, j = np.triu_indices(count, k=1)
    worth, spread = np.zeros(len(i)), np.zeros(len(i))
    asked = np.unique(np.linspace(0, len(problem.elements) - 1, PAIR_BLOCKS).astype(int))
    for block in asked.tolist():
        between, to = problem.between[block][i, j], problem.to_target[block]
        first, second = to[i], to[j]
        along = (first + between - second) / 2
        share = np.divide(along, between, out=np.zeros_like(along), where=between > 0)
        if convex:
            np.clip(share, 0, 1, out=share)
        residual = first - 2 * share * along + share * share * between
        np.maximum(residual, problem.least[block], out=residual)
        worth += problem.elements[block] * np.log(residual)
        spread += np.abs(1 - share) * first + np.abs(share) * second
    # Of those that are as good as the best, the widest.
    worth = np.where(worth <= worth.min() + problem.room, worth.min(), worth)
    best = np.lexsort((-spread, worth))[:PAIRS]
    return [(int(i[each]), int(j[each])) for each in best]


def _additions(problem: Problem, held: Found, *, convex: bool) -> list[int]:
    """Return the candidates that, added to a set, leave least."""
    between, to_target = problem.part(held.members)
    fitted = affine.convex(between, to_target) if convex else affine.system(between, to_target)
    columns = problem.between[:, list(held.members), :] / (-2 * fitted.scale[:, None, None])
    blocks, size, count = columns.shape
    bordered = np.concatenate([columns, np.ones((blocks, 1, count))], axis=1)
    applied = fitted.inverse @ bordered
    distance = -np.einsum("bij,bij->bj", bordered, applied)
    pull = -problem.to_target / (2 * fitted.scale[:, None])
    pull = pull - np.einsum("bi,bij->bj", fitted.solution, bordered)
    apart = distance > COLLINEAR * np.abs(columns).max(axis=1)
    weight = np.divide(pull, distance, out=np.zeros_like(pull), where=apart)
    gain = weight * pull
    if convex:
        # The step that keeps all others from becoming negative: its gain can be had, or more.
        change = weight[:, None, :] * applied[:, :size]
        held_weights = fitted.weights[:, :, None]
        share = np.divide(held_weights, change, out=np.ones_like(change), where=change > 0)
        step = np.clip(share.min(axis=1), 0, 1)
        gain = np.where(weight > 0, gain * (2 * step - step * step), 0.0)
    residual = held.residual[:, None] - gain * fitted.scale[:, None]
    worth = problem.worth(residual)
    worth[list(held.members)] = np.inf
    order = np.lexsort((np.arange(count), worth))
    return [int(each) for each in order[:WIDTH] if np.isfinite(worth[each])]


def _exchanged(problem: Problem, held: Found, *, convex: bool) -> Found:
    """
    Exchange members for other candidates as long as that leaves less, or as little and is wider.

    A merge of two parents, rounded, comes in early in the place of one of them, and stays. (Pairs
    are all looked at from the start.)
    """
    for _ in range(EXCHANGES * (len(held.members) > 2)):
        wider = {
            tuple(sorted((*less.members, add)))
            for less in without_one(problem, held, convex=convex)
            for add in _additions(problem, less, convex=convex)
        }
        others = solved_all(problem, sorted(wider - {held.members}), convex=convex)
        least = min([held.worth, *(each.worth for each in others)])
        good = [each for each in others if each.worth <= least + ALIKE * abs(least)]
        best = max(good, key=lambda each: each.spread, default=held)
        if held.worth <= least + ALIKE * abs(least) and best.spread <= WIDER * held.spread:
            return held
        held = best
    return held


def _best(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda each: (each.worth, -each.spread, each.members))[:WIDTH]


def _fewer(problem: Problem, found: Found, convex: bool) -> Found:
    """Drop the members that are not worth what they cost, one by one."""
    while len(found.members) > 1:
        best = _best(without_one(problem, found, convex=convex))[0]
        if best.worth > found.worth:
            return found
        found = best
    return found


def without_one(problem: Problem, found: Found, *, convex: bool) -> list[Found]:
    """Return a set without its first, its second, ... member."""
    sets = [(*found.members[:at], *found.members[at + 1 :]) for at in range(len(found.members))]
    return solved_all(problem, sets, convex=convex)


def _ranked(problem: Problem, found: list[Found]) -> list[Found]:
    """
    Order sets by worth; of such that are equally good and as large, the wider one is first.

    On a line a, m, n, b the model m lies between a and n as well as between a and b. The widest
    pair is taken: else m would be made of n, and n of m.
    """
    distinct = {each.members: each for each in found}
    order = sorted(
        distinct.values(), key=lambda each: (each.worth, len(each.members), each.members)
    )
    best = order[0]
    alike = [
        each
        for each in order
        if len(each.members) == len(best.members) and each.worth <= best.worth + problem.room
    ]
    widest = min(alike, key=lambda each: (-each.spread, each.members))
    return [widest, *(each for each in order if each is not widest)]
