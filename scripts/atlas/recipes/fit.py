"""Fit one part of a model, or the blocks of one component, from squared distances alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas.recipes import affine
from atlas.recipes.bounds import MEASURED, Left, is_common
from atlas.recipes.choosing import LEAST_WEIGHT, Choice, choose, distinct
from atlas.recipes.measuring import Measured, Part, measured
from atlas.recipes.verdicts import Form, Verdict

Array = NDArray[np.float64]

LARGEST_ERROR = 0.05
"""A weight with a larger standard error is not told."""
EXPLAINED = 0.25
"""A sum that is not exact leaves at most this share of the nearest parent's squared distance."""
WIDE_ROUNDINGS = 4.0
"""
Of float32 and wider targets, whose own arithmetic rounds products and differences too.

Each of them leaves up to as much as the last rounding; narrower targets are computed in float32.
"""


@dataclass(frozen=True)
class Fit:
    """How one part of a target follows from candidates."""

    parents: tuple[int, ...]
    """Places in the squares (the target's is 0), heaviest first; () where there are none."""
    weights: tuple[float, ...] | None
    errors: tuple[float, ...] | None
    """Standard errors of the weights."""
    form: Form | None
    residual: float
    """L2 of the target less the sum; from the nearest candidate where there are no parents."""
    floor: float
    """L2 that rounding leaves; 0 where it is not known."""
    verdict: Verdict


def fit_part(
    squares: Array,
    *,
    elements: float,
    floor: float | None,
    norms: Array | None = None,
    precision: float = MEASURED,
    roundings: float = 1.0,
    most: int = 6,
) -> Fit:
    """
    Fit a target by a weighted sum of a few candidates.

    Parameters
    ----------
    squares
        Squared L2, (n, n), the target first. A candidate with infinities or NaN is left out.
    elements
        Of how many numbers the distances are sums.
    floor
        L2 that rounding leaves of the target; None where it is not known: then no sum is exact.
    norms
        L2 norms, (n,), to look for weights of another sum than 1.
    precision
        Relative error of the squares.
    roundings
        How many roundings of the target's size its making may have had: WIDE_ROUNDINGS of float32.
    most
        Largest number of parents.

    Examples
    --------
    >>> models = np.random.default_rng(1).normal(size=(4, 1000))
    >>> models[0] = 0.7 * models[2] + 0.3 * models[3]
    >>> squares = ((models[:, None] - models) ** 2).sum(axis=-1)
    >>> found = fit_part(squares, elements=1000, floor=0, precision=1e-9)
    >>> found.parents, np.round(found.weights, 4).tolist(), str(found.verdict)
    ((2, 3), [0.7, 0.3], 'recovered')
    """
    return fit_blocks(
        squares[None],
        elements=np.array([elements], dtype=np.float64),
        floors=None if floor is None else np.array([floor], dtype=np.float64),
        norms=None if norms is None else norms[None],
        precision=precision,
        roundings=roundings,
        most=most,
    )[0]


def fit_blocks(
    squares: Array,
    *,
    elements: Array,
    floors: Array | None,
    norms: Array | None = None,
    precision: float = MEASURED,
    roundings: float = 1.0,
    most: int = 6,
) -> tuple[Fit, ...]:
    """
    Fit the blocks of a component, which share parents where that explains them.

    Parameters are those of `fit_part` with an axis of blocks first: squares (blocks, n, n),
    elements and floors (blocks,), norms (blocks, n). Where tensors of a block are rounded more or
    less coarsely, as norms are beside matrices, errors are true of squares that were divided by
    what rounding leaves of an element of each tensor before they were added up.
    """
    known = floors is not None
    floors = floors if floors is not None else np.zeros(len(squares))
    usable = 1 + np.flatnonzero(np.isfinite(squares[:, 0, 1:]).all(axis=0))
    usable = usable[np.isfinite(squares[:, usable][:, :, usable]).all(axis=(0, 1))]
    if not len(usable):
        nothing = Fit((), None, None, None, float("nan"), 0.0, Verdict.NOT_COMPARED)
        return tuple(nothing for _ in squares)
    places = np.concatenate([[0], usable])
    own = squares[:, places][:, :, places]
    part = Part.of(own, np.asarray(elements, np.float64), floors, precision, roundings)
    own_norms = None if norms is None else norms[:, places]
    choice = choose(part, most=most, norms=own_norms)
    if choice.form is Form.SCALED and own_norms is not None:
        part = part.with_zero(own_norms)
    fits = [
        _fit(part, block, of_block(part, block, choice, most=most), places, known=known)
        for block in range(len(squares))
    ]
    half = sum(each is Left.HALF_ARITHMETIC for _, each in fits)
    if is_common(half, sum(fit.weights is not None for fit, _ in fits)):
        return tuple(fit for fit, _ in fits)
    return tuple(
        replace(fit, verdict=Verdict.APPROXIMATE) if each is Left.HALF_ARITHMETIC else fit
        for fit, each in fits
    )


def of_block(part: Part, block: int, choice: Choice, *, most: int) -> Choice:
    """Return the parents of one block: the component's, or others if only they are exact."""
    if not choice.exact or choice.form is not Form.CONVEX or len(part.elements) == 1:
        return choice
    if solve(part, block, distinct(part, block, choice)).explained:
        return choice
    alone = choose(part.single(block), most=most)
    return alone if alone.exact else choice


def solve(part: Part, block: int, choice: Choice) -> Measured:
    """Return the weights of a choice in one block; of a scaled one also the zero vector's."""
    members = choice.members
    if choice.form is Form.SCALED:
        members = (*members, part.to_target.shape[1] - 1)
    places = list(members)
    between = part.between[block][np.ix_(places, places)]
    to_target = part.to_target[block, places]
    convex = choice.form is Form.CONVEX
    weights = (affine.convex if convex else affine.system)(between, to_target).weights
    return measured(part, block, members, weights)


def _fit(
    part: Part, block: int, choice: Choice, places: NDArray[np.intp], *, known: bool
) -> tuple[Fit, Left | None]:
    """Return the fit of a block, and what it leaves if it has weights and is a sum."""
    floor = float(part.floors[block])
    candidates = part.to_target.shape[1] - (choice.form is Form.SCALED)
    to_target = part.to_target[block, :candidates]
    nearest = float(to_target.min())
    if nearest <= 1.5 * part.roundings * floor**2 and known:
        alike = (int(places[1 + int(np.argmin(to_target))]),)
        return Fit(alike, None, None, None, float(np.sqrt(nearest)), floor, Verdict.EQUAL), None
    alone = Fit((), None, None, None, float(np.sqrt(nearest)), floor, Verdict.NONE)
    if not choice.members:
        return alone, None
    choice = distinct(part, block, choice)
    found = solve(part, block, choice)
    size = len(choice.members)
    heavy = np.abs(found.weights[:size]) > np.maximum(3 * found.errors[:size], LEAST_WEIGHT)
    if not heavy.all() and heavy.any():
        members = tuple(each for each, held in zip(choice.members, heavy, strict=True) if held)
        fewer = Choice(members, choice.form, choice.exact)
        if (again := solve(part, block, fewer)).explained >= found.explained:
            choice, found = fewer, again
    is_lone = choice.form is not Form.SIGNED and found.is_plainly_exact
    exact = found.explained and known and (choice.exact or is_lone)
    residual = max(found.residual, 0.0)
    if not exact and (len(choice.members) < 2 or residual > EXPLAINED * nearest):
        return alone, None
    order = sorted(
        range(len(choice.members)), key=lambda at: (-found.weights[at], choice.members[at])
    )
    parents = tuple(int(places[1 + choice.members[at]]) for at in order)
    weights = tuple(float(found.weights[at]) for at in order)
    errors = tuple(float(found.errors[at]) for at in order)
    verdict = Verdict.RECOVERED if exact else Verdict.APPROXIMATE
    root = float(np.sqrt(residual))
    if exact and max(errors) > LARGEST_ERROR:
        return Fit(parents, None, None, None, root, floor, Verdict.UNDETERMINED), None
    fit = Fit(parents, weights, errors, choice.form, root, floor, verdict)
    return fit, found.left if exact else None
