"""
Weighted sums that come nearest to a target, from squared distances alone.

For members c with weights w that sum to 1, ‖t − Σ w c‖² = Σ w d²(c, t) − ½ Σ Σ w w d²(c, c): of
distances between models, with nothing as large as a model's norm that would cancel. Its minimum
solves

    [−D/2  1] [w]   [−d/2]
    [ 1ᵀ   0] [λ] = [  1 ]

(barycentric coordinates by the matrix of Cayley and Menger). All functions take any leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RIDGE = 1e-10
"""Relative to a member's mean square: shares weights out evenly where members are equal."""


@dataclass(frozen=True, eq=False)
class System:
    """What the normal equations of a set of members know."""

    inverse: Array
    """(..., k + 1, k + 1): of the matrix above, over `scale`."""
    solution: Array
    """(..., k + 1): weights and multiplier, the latter over `scale`."""
    scale: Array
    """(...): what all squares were divided by."""

    @property
    def weights(self) -> Array:
        """The weights, shape (..., k)."""
        return self.solution[..., :-1]

    @property
    def spread(self) -> Array:
        """
        (..., k, k): the inverse of −D/2 on weights that sum to 0.

        Times the variance of an element's noise it is the weights' covariance.
        """
        return np.asarray(self.inverse[..., :-1, :-1] / self.scale[..., None, None])


def system(between: Array, to_target: Array, kept: NDArray[np.bool_] | None = None) -> System:
    """
    Solve for the weights of a set of members.

    Parameters
    ----------
    between
        Squared distances between members, (..., k, k).
    to_target
        Squared distances from members to the target, (..., k).
    kept
        Which members may have weight, (..., k); None for all. The others' weights are 0.
    """
    count = to_target.shape[-1]
    scale = np.maximum(between.max(axis=(-1, -2)), to_target.max(axis=-1))
    scale = np.where(scale > 0, scale, 1.0)
    squares = between / scale[..., None, None]
    matrix = np.zeros((*to_target.shape[:-1], count + 1, count + 1))
    matrix[..., :count, :count] = -squares / 2
    own = np.arange(count)
    matrix[..., own, own] += RIDGE * squares.mean(axis=-1) + 1e-14
    matrix[..., :count, count] = matrix[..., count, :count] = 1.0
    right = np.ones((*to_target.shape[:-1], count + 1))
    right[..., :count] = -to_target / (2 * scale[..., None])
    if kept is not None:
        flag = np.concatenate([kept, np.ones((*kept.shape[:-1], 1), bool)], axis=-1)
        matrix = np.where(flag[..., :, None] & flag[..., None, :], matrix, 0.0)
        matrix[..., own, own] += ~kept
        right = np.where(flag, right, 0.0)
    inverse = np.linalg.inv(matrix)
    if kept is not None:
        inverse = np.where(flag[..., :, None] & flag[..., None, :], inverse, 0.0)
    return System(inverse, (inverse @ right[..., None])[..., 0], scale)


def convex(between: Array, to_target: Array) -> System:
    """Solve with weights from 0 to 1: the most negative one is dropped until there is none."""
    kept = np.ones(to_target.shape, dtype=bool)
    for _ in range(to_target.shape[-1]):
        found = system(between, to_target, kept)
        least = np.argmin(found.weights, axis=-1)[..., None]
        negative = np.take_along_axis(found.weights, least, axis=-1) < 0
        if not negative.any():
            break
        dropped = np.take_along_axis(kept, least, axis=-1) & ~negative
        np.put_along_axis(kept, least, dropped, axis=-1)
    return found


def residual_squares(weights: Array, between: Array, to_target: Array) -> Array:
    """Return ‖t − Σ w c‖², shape (...): below 0 by no more than the squares' own errors."""
    quadratic = np.einsum("...i,...ij,...j->...", weights, between, weights)
    return np.asarray((weights * to_target).sum(axis=-1) - quadratic / 2)


def resolution(weights: Array, between: Array, to_target: Array, precision: Array) -> Array:
    """
    Return how far off residual squares may be where squares have relative errors, shape (...).

    Parameters
    ----------
    precision
        Relative error of the squares of each member, (k,): of two members the smaller one's.
    """
    size = np.abs(weights)
    pairs = np.minimum(precision[:, None], precision[None, :]) * between
    quadratic = np.einsum("...i,...ij,...j->...", size, pairs, size)
    return np.asarray((size * precision * to_target).sum(axis=-1) + quadratic / 2)
