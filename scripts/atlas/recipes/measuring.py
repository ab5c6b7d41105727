"""A target against its candidates, block by block, and what sums of some of these leave of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas.recipes import affine
from atlas.recipes.bounds import BY_FLOAT64, LONE_DEVIATIONS, Left, largest_ratio, left
from atlas.recipes.search import Found, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """A target against its candidates, block by block; the last one may be the zero vector."""

    between: Array
    """Squares of distances of candidates, (blocks, N, N)."""
    to_target: Array
    """(blocks, N)."""
    elements: Array
    """(blocks,)."""
    floors: Array
    """L2 that rounding the target leaves, (blocks,); 0 where unknown."""
    precision: Array
    """Relative error of each candidate's squares, (N,)."""
    roundings: float
    """How many roundings of the target's size its arithmetic may have made."""

    @classmethod
    def of(
        cls, squares: Array, elements: Array, floors: Array, precision: float, roundings: float
    ) -> Part:
        """Return the part of squares (blocks, n, n) that have the target first."""
        return cls(
            squares[:, 1:, 1:],
            squares[:, 0, 1:],
            elements,
            floors,
            np.full(squares.shape[1] - 1, precision),
            roundings,
        )

    def with_zero(self, norms: Array) -> Part:
        """Add the zero vector, whose distances are norms: (blocks, n), the target's first."""
        wider = np.pad(self.between, ((0, 0), (0, 1), (0, 1)))
        wider[:, -1, :-1] = wider[:, :-1, -1] = norms[:, 1:] ** 2
        to_target = np.concatenate([self.to_target, norms[:, :1] ** 2], axis=1)
        precision = np.append(self.precision, BY_FLOAT64)
        return replace(self, between=wider, to_target=to_target, precision=precision)

    def without(self, candidates: set[int]) -> tuple[Part, list[int]]:
        """Return the part without some candidates, and the places of those that stay."""
        if not candidates:
            return self, list(range(self.to_target.shape[1]))
        kept = [each for each in range(self.to_target.shape[1]) if each not in candidates]
        between = self.between[:, np.array(kept)[:, None], kept]
        return replace(
            self,
            between=between,
            to_target=self.to_target[:, kept],
            precision=self.precision[kept],
        ), kept

    def problem(self, near: Found | None = None) -> Problem:
        """
        Return what to search, over the blocks in which anything differs.

        Parameters
        ----------
        near
            A set that comes near, whose distances tell what measuring leaves; else the candidates'
            median does.
        """
        rows = self.told
        tiny = 1e-12 * self.to_target[rows].max(axis=1)
        if near is None:
            blur = self.precision[0] * np.median(self.to_target[rows], axis=1)
        else:
            places = np.array(near.members)
            between = self.between[np.ix_(rows, places, places)]
            own = self.to_target[np.ix_(rows, places)]
            blur = affine.resolution(near.weights, between, own, self.precision[places])
        least = self.floors[rows] ** 2 + blur + tiny
        every = len(rows) == len(self.elements)
        between = self.between if every else self.between[rows]
        return Problem(between, self.to_target[rows], self.elements[rows], least)

    @property
    def told(self) -> NDArray[np.intp]:
        """Blocks in which the target differs from any candidate."""
        return np.flatnonzero((self.to_target.max(axis=1) > 0) & (self.elements > 1))

    def single(self, block: int) -> Part:
        """Return one block of it."""
        return self.some(slice(block, block + 1))

    def some(self, rows: slice | NDArray[np.intp]) -> Part:
        """Return some of its blocks."""
        return replace(
            self,
            between=self.between[rows],
            to_target=self.to_target[rows],
            elements=self.elements[rows],
            floors=self.floors[rows],
        )


@dataclass(frozen=True, eq=False)
class Measured:
    """What a set of parents with weights leaves in one block."""

    weights: Array
    errors: Array
    residual: float
    """Squared."""
    left: Left
    """Beyond what measuring leaves."""
    ratio: float
    """That by the square of what rounding leaves."""
    elements: float

    @property
    def is_plainly_exact(self) -> bool:
        """Whether it leaves as little as a block must that stands alone: see LONE_DEVIATIONS."""
        most = largest_ratio(self.weights, self.errors, self.elements, deviations=LONE_DEVIATIONS)
        return self.ratio <= most

    @property
    def explained(self) -> bool:
        """Whether rounding leaves as much, if arithmetic was of half precision."""
        return self.left is not Left.MORE


def measured(part: Part, block: int, members: tuple[int, ...], weights: Array) -> Measured:
    """Return what weights of some candidates leave in a block."""
    places = list(members)
    between = part.between[block][np.ix_(places, places)]
    to_target = part.to_target[block, places]
    residual = float(affine.residual_squares(weights, between, to_target))
    blur = float(affine.resolution(weights, between, to_target, part.precision[places]))
    floor = float(part.floors[block]) ** 2
    noise = max(floor, residual, blur)
    errors = standard_errors(between, to_target, noise / float(part.elements[block]))
    beyond = max(residual - blur, 0.0)
    ratio = beyond / (part.roundings * floor) if floor else np.inf if beyond else 0.0
    elements = float(part.elements[block])
    own = left(ratio, weights, errors, elements, part.roundings)
    return Measured(weights, errors, residual, own, ratio, elements)


def standard_errors(between: Array, to_target: Array, variance: float) -> Array:
    """Return the weights' standard errors where each element's noise has this variance."""
    spread = affine.system(between, to_target).spread
    return np.sqrt(np.maximum(np.diagonal(spread, axis1=-2, axis2=-1) * variance, 0.0))
