"""
Fit a block tensor by tensor: what a merger left out must not be averaged in.

Of each tensor the squares among the target and its parents are known. Weights are found that most
of the tensors follow; those that deviate are told, and the rest is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.recipes import affine
from atlas.recipes.bounds import DEVIATIONS, SLACK, half_arithmetic, largest_ratio
from atlas.recipes.verdicts import Form

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROUNDS = 12
"""Of reweighting."""
ONE_ROUNDING = 1.5
"""
Squared distance, over the rounding floor's square, of what is equal but for one rounding.

A half-precision tensor that moved by one place in an eighth of its elements: mergers that compute
m a + (1 − m) a in half precision change a tenth.
"""


@dataclass(frozen=True, eq=False)
class Tensors:
    """Some tensors of a target and its parents, with the zero vector where sums are scaled."""

    between: Array
    """Squares among the parents, (tensors, k, k)."""
    to_target: Array
    """(tensors, k)."""
    floors: Array
    """Squared L2 that rounding leaves of the target, (tensors,)."""
    elements: Array
    """(tensors,)."""
    precision: Array
    """Relative error of squares of each parent, (k,)."""
    roundings: float

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, which: Flags | NDArray[np.intp]) -> Tensors:
        return Tensors(
            self.between[which],
            self.to_target[which],
            self.floors[which],
            self.elements[which],
            self.precision,
            self.roundings,
        )

    def of(self, members: list[int]) -> Tensors:
        """Return the same with some of the parents."""
        return Tensors(
            self.between[:, members][:, :, members],
            self.to_target[:, members],
            self.floors,
            self.elements,
            self.precision[members],
            self.roundings,
        )

    def residuals(self, weights: Array) -> Array:
        """Return each tensor's squared residual, (tensors,)."""
        return affine.residual_squares(weights[None], self.between, self.to_target)

    def blur(self, weights: Array) -> Array:
        """Return how far off each squared residual may be, (tensors,)."""
        return affine.resolution(weights[None], self.between, self.to_target, self.precision)

    def within(self, weights: Array, errors: Array) -> Flags:
        """Return which tensors are explained by weights, but for rounding."""
        ties = largest_ratio(weights, errors, np.inf) - SLACK
        half = half_arithmetic(weights, errors)
        ties = max(ties, half[1]) if half and self.roundings == 1 else ties
        ratio = ties + SLACK + DEVIATIONS / np.sqrt(np.maximum(self.elements, 1))
        allowed = ratio * self.roundings * self.floors + self.blur(weights)
        return np.asarray(self.residuals(weights) <= allowed)

    def ratio(self, weights: Array) -> float:
        """Return the mean squared residual of an element, in terms of what rounding leaves."""
        known = self.floors > 0
        if not known.any():
            return 0.0
        beyond = (self.residuals(weights) - self.blur(weights))[known]
        trust = self.elements[known] / self.elements[known].sum()
        return float((trust * beyond / (self.roundings * self.floors[known])).sum())

    @property
    def telling(self) -> Flags:
        """Which tensors tell of weights: those in which the parents differ."""
        return np.asarray(self.between.max(axis=(1, 2)) > 0)


@dataclass(frozen=True, eq=False)
class Robust:
    """Weights that most of the tensors follow."""

    weights: Array
    """(k,)."""
    errors: Array
    follows: Flags
    """Which tensors do, (tensors,); all where the weights are not exact."""
    exact: bool
    """Whether rounding explains what is left in most tensors."""


def robust(tensors: Tensors, form: Form) -> Robust:
    """
    Return the weights that explain the most of the tensors, all of which tell of weights.

    Several starts are reweighted to the least of Σ n ln(residual + noise), which a few tensors that
    deviate hardly move; then the tensors that are explained are fitted, each trusted by its noise.
    """
    best = _exact(tensors, form, _weights(tensors, form, _noise(tensors)))
    if not best.follows.all() and len(tensors) > 1:
        tries = [_exact(tensors, form, start) for start in _starts(tensors, form)]
        best = max([best, *tries], key=lambda each: (each.exact, int(each.follows.sum())))
    if best.exact:
        return best
    weights = _weights(tensors, form, np.ones(len(tensors)))
    residual = max(float(tensors.residuals(weights).sum()), 0.0)
    noise = np.full(len(tensors), residual / tensors.elements.sum())
    every = np.ones(len(tensors), bool)
    return Robust(weights, _errors(tensors, noise), every, False)


def _exact(tensors: Tensors, form: Form, weights: Array) -> Robust:
    """Fit those tensors again that weights explain, until they stay the same."""
    noise = _noise(tensors)
    errors = _errors(tensors, noise / tensors.elements)
    follows = tensors.within(weights, errors)
    for _ in range(ROUNDS):
        if not follows.any():
            break
        own = tensors[follows]
        weights = _weights(own, form, noise[follows])
        per_element = np.maximum(noise[follows], own.residuals(weights)) / own.elements
        errors = _errors(own, per_element)
        again = tensors.within(weights, errors)
        if (again == follows).all():
            break
        follows = again
    return Robust(weights, errors, follows, bool(2 * follows.sum() > len(follows)))


def _starts(tensors: Tensors, form: Form) -> list[Array]:
    solve = affine.convex if form is Form.CONVEX else affine.system
    own = solve(tensors.between, tensors.to_target).weights
    median = np.median(own, axis=0)
    starts = [median / median.sum() if median.sum() else own[0]]
    for weights in (starts[0], _weights(tensors, form, np.ones(len(tensors)))):
        found = weights
        noise = _noise(tensors)
        for _ in range(ROUNDS):
            found = _weights(tensors, form, noise + np.maximum(tensors.residuals(found), 0))
        starts.append(found)
    return starts


def _noise(tensors: Tensors) -> Array:
    """Return the squared noise of each tensor: of rounding and of measuring."""
    typical = (tensors.precision * tensors.to_target).min(axis=1)
    noise = tensors.floors + typical
    least = noise[noise > 0].min() if (noise > 0).any() else 1.0
    return np.asarray(np.maximum(noise, least))


def _weights(tensors: Tensors, form: Form, noise: Array) -> Array:
    """Return the weights of all tensors together, each of which has some squared noise."""
    trust = tensors.elements / noise
    between = np.einsum("t,tij->ij", trust, tensors.between)
    to_target = trust @ tensors.to_target
    solve = affine.convex if form is Form.CONVEX else affine.system
    return np.asarray(solve(between, to_target).weights)


def _errors(tensors: Tensors, variance: Array) -> Array:
    """Return standard errors of the weights where elements' noise has variances (tensors,)."""
    trust = 1 / np.maximum(variance, 1e-300)
    scale = trust.max()
    between = np.einsum("t,tij->ij", trust / scale, tensors.between)
    spread = affine.system(between, trust / scale @ tensors.to_target).spread
    return np.asarray(np.sqrt(np.maximum(np.diagonal(spread) / scale, 0.0)))


def explaining(tensor: Tensors, form: Form) -> Array | None:
    """Return the weights that explain a tensor that deviates from its block; None where none do."""
    count = tensor.to_target.shape[1]
    zero = np.zeros(count)
    for member in np.argsort(tensor.to_target[0], kind="stable"):
        single = np.asarray(np.eye(count)[member])
        if tensor.within(single, zero).all():
            return single
    own = _weights(tensor, form, np.ones(1))
    return own if bool(tensor.within(own, zero).all()) else None
