"""
Sums of other models that explain a target as well as its recipe does, from squared distances.

Of models on a line, c = 0.3 a + 0.7 b and m = 0.5 a + 0.5 c, distances in float32 tell no more than
that m lies between any two that are on either side of it. Which of them it was made from, only
making it again tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from atlas.recipes import affine, bounds
from atlas.recipes.tables import WHOLE

Array = NDArray[np.float64]

LEAST = 1e-3
"""Weight of a parent at least: less is seldom a merge."""
MOST_ON_A_PLANE = 12
"""Models among which sums of three are sought: 220 of them."""
DENOMINATORS = (1, 2, 3, 4, 5, 10, 20, 100, 200, 1000)
"""The plainer the weights, the likelier somebody typed them."""
NEAR = 1e-4
"""How far a weight may lie from such a number."""


@dataclass(frozen=True)
class OtherSum:
    """Parents with weights that sum to 1, the largest first."""

    parents: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Stored:
    """Squared L2 of a whole component between every two models of a group."""

    models: tuple[str, ...]
    squares: Array
    """(N, N), NaN where they were not compared."""
    parameters: NDArray[np.int64]
    """(N, N): that were compared."""

    @classmethod
    def read(cls, distances: Path, component: str, models: Iterable[str]) -> Stored:
        """Return the distances of a component from a table of `compare_group`."""
        names = tuple(sorted(models))
        place = {name: at for at, name in enumerate(names)}
        wanted = [("component", "=", component), ("block", "=", WHOLE), ("role", "=", WHOLE)]
        columns = ["a", "b", "l2", "compared_parameters"]
        rows = pq.read_table(distances, columns=columns, filters=wanted)
        squares = np.full((len(names), len(names)), np.nan)
        parameters = np.zeros(squares.shape, np.int64)
        np.fill_diagonal(squares, 0.0)
        for one, other, l2, compared in zip(*rows.to_pydict().values(), strict=True):
            if one in place and other in place and l2 is not None:
                ends = ([place[one], place[other]], [place[other], place[one]])
                squares[ends] = l2**2
                parameters[ends] = compared
        return cls(names, squares, parameters)

    def sums(
        self, target: str, parents: Sequence[str], *, parameters: int, floor: float
    ) -> list[OtherSum]:
        """
        Return the sums that leave no more of a target than rounding does, the plainest first.

        All pairs are looked at; where the recipe has three parents, of the models in their plane
        all sets of three as well. Of models that are equal one stands for all.

        Parameters
        ----------
        parents
            Of the recipe, which is none of them.
        parameters
            Of the target's component: models that share fewer with it are left out.
        floor
            L2 that rounding leaves of it.
        """
        own = self.models.index(target)
        known = [
            at
            for at in range(len(self.models))
            if self.parameters[own, at] == parameters and self.squares[own, at] > 0
        ]
        places = self._distinct(known)
        if len(places) < 2:
            return []
        between = self.squares[np.ix_(places, places)]
        to_target = self.squares[own, places]
        fit = _Fit(between, to_target, parameters, floor)
        found = dict(fit.pairs())
        if len(parents) == 3:
            recipe = [place for place, at in enumerate(places) if self.models[at] in parents]
            found |= dict(fit.triples(recipe))
        sums = [
            OtherSum(tuple(self.models[places[at]] for at in members), weights)
            for members, weights in found.items()
        ]
        told = [each for each in sums if set(each.parents) != set(parents)]
        return sorted(told, key=lambda each: (_plainness(each.weights), each.parents))

    def _distinct(self, places: Sequence[int]) -> list[int]:
        """Return places of models that are not equal to an earlier one."""
        kept: list[int] = []
        for at in places:
            if all(self.squares[at, other] > 0 for other in kept):
                kept.append(at)
        return kept


@dataclass(frozen=True, eq=False)
class _Fit:
    between: Array
    to_target: Array
    parameters: int
    floor: float

    def pairs(self) -> Iterator[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Yield pairs between which the target lies, with their weights."""
        first, second = np.triu_indices(len(self.to_target), k=1)
        square = self.between[first, second]
        one, other = self.to_target[first], self.to_target[second]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (one - other + square) / (2 * square)  # of the second
            off = one - share**2 * square
            blur = bounds.MEASURED * (one + other + square)
            near = (share > LEAST) & (share < 1 - LEAST) & (off <= 3 * self.floor**2 + blur)
        for at in np.flatnonzero(near):
            yield from self._checked((int(first[at]), int(second[at])))

    def triples(self, recipe: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Yield sets of three in the plane of a recipe's parents among which the target lies."""
        if len(recipe) < 3:
            return
        others = np.arange(len(self.to_target))
        across = np.broadcast_to(
            self.between[np.ix_(recipe, recipe)], (len(others), len(recipe), len(recipe))
        )
        to_each = self.between[:, recipe]
        weights = affine.system(across, to_each).weights
        off = affine.residual_squares(weights, across, to_each)
        precision = np.full(len(recipe), bounds.MEASURED)
        blur = affine.resolution(weights, across, to_each, precision)
        on_plane = np.flatnonzero(off <= 3 * self.floor**2 + blur)[:MOST_ON_A_PLANE]
        for members in combinations(on_plane.tolist(), 3):
            yield from self._checked(members)

    def _checked(
        self, members: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, ...], tuple[float, ...]]]:
        """Yield members with their weights if rounding explains what they leave."""
        places = np.array(members)
        between, to_target = self.between[np.ix_(places, places)], self.to_target[places]
        weights = affine.system(between, to_target).weights
        if not (np.isfinite(weights).all() and (weights > LEAST).all()):
            return
        precision = np.full(len(members), bounds.MEASURED)
        beyond = float(
            affine.residual_squares(weights, between, to_target)
            - affine.resolution(weights, between, to_target, precision)
        )
        ratio = max(beyond, 0.0) / self.floor**2 if self.floor else np.inf if beyond > 0 else 0.0
        errors = np.zeros(len(members))
        if bounds.left(ratio, weights, errors, self.parameters, 1.0) is bounds.Left.MORE:
            return
        order = np.argsort(-np.round(weights, 6), kind="stable")
        yield tuple(places[order].tolist()), tuple(weights[order].tolist())


def _plainness(weights: Sequence[float]) -> int:
    """Return the place of the first denominator that makes all of them whole numbers."""
    for place, denominator in enumerate(DENOMINATORS):
        scaled = np.array(weights) * denominator
        if (np.abs(scaled - np.round(scaled)) <= NEAR * denominator).all():
            return place
    return len(DENOMINATORS)
