"""What is said of one block of one target, from its tensors' squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atlas.recipes.bounds import (
    BY_FLOAT64,
    LONE_DEVIATIONS,
    MEASURED,
    Left,
    largest_ratio,
    left,
)
from atlas.recipes.choosing import LEAST_WEIGHT
from atlas.recipes.fit import EXPLAINED, LARGEST_ERROR
from atlas.recipes.rows import Deviation, Row, in_order
from atlas.recipes.verdicts import Form, Verdict
from atlas.recipes.within import ONE_ROUNDING, Robust, Tensors, explaining, robust

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BlockTensors:
    """The tensors of a block that were compared with all parents."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Models."""
    tensors: Tensors
    """With the zero vector as the last parent where the form is scaled."""
    roundings: Array
    """Squared L2 that rounding leaves of the parents, (tensors, parents)."""
    form: Form
    is_shared: bool = True
    """Whether these parents explain most blocks of the component; else this one stands alone."""

    def __getitem__(self, which: NDArray[np.bool_]) -> BlockTensors:
        names = tuple(name for name, kept in zip(self.names, which, strict=True) if kept)
        return replace(
            self, names=names, tensors=self.tensors[which], roundings=self.roundings[which]
        )

    def of(self, members: Sequence[int]) -> BlockTensors:
        """Return the same with some of the parents, as places among them."""
        places = list(members)
        zero = [len(self.parents)] if self.form is Form.SCALED else []
        return replace(
            self,
            parents=tuple(self.parents[each] for each in places),
            tensors=self.tensors.of(places + zero),
            roundings=self.roundings[:, places],
        )


def precisions(parents: int, form: Form) -> Array:
    """Return the relative error of squares of the parents, and of the zero vector."""
    own = np.full(parents, MEASURED)
    return np.append(own, BY_FLOAT64) if form is Form.SCALED else own


def fit_block(row: Row, block: BlockTensors) -> Row:
    """
    Return the row of a block with its verdict.

    Parameters
    ----------
    row
        With the nearest model and its distance.
    """
    tensors = block.tensors
    row = replace(row, tensors=len(tensors), parameters=int(tensors.elements.sum()))
    if not len(tensors):
        return replace(row, verdict=Verdict.NOT_COMPARED)
    between = tensors.between[:, : len(block.parents), : len(block.parents)]
    telling = between.max(axis=(1, 2)) > 0
    if block.form is Form.SCALED:
        telling[:] = True
    if not telling.any() or _is_one_rounding(between, block.roundings):
        return _equal(row, block)
    told = block.of(_distinct(between.sum(axis=0)))[telling]
    found = robust(told.tensors, block.form)
    told, found = _without_light(told, found)
    shared = tensors[~telling]
    unmoved = shared.to_target[:, 0] <= ONE_ROUNDING * tensors.roundings * shared.floors
    return _judged(row, block, told, found, block[_place(~telling, ~unmoved)])


def _place(which: NDArray[np.bool_], flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    placed = which.copy()
    placed[which] = flags
    return placed


def _is_one_rounding(between: Array, roundings: Array) -> bool:
    """Tell whether all parents are equal but for one rounding."""
    total, own = between.sum(axis=0), roundings.sum(axis=0)
    return bool((total <= ONE_ROUNDING * np.maximum(own[:, None], own[None, :])).all())


def _distinct(total: Array) -> list[int]:
    """Return one of the parents, as places, for all that are equal to it in the block."""
    kept: list[int] = []
    for each in range(len(total)):
        if all(total[each, other] > 0 for other in kept):
            kept.append(each)
    return kept


def _equal(row: Row, block: BlockTensors) -> Row:
    """Judge a block of which the parents are the same."""
    tensors = block.tensors
    squares = tensors.to_target[:, : len(block.parents)].min(axis=1)
    residual, floor = float(squares.sum()), float(tensors.floors.sum())
    row = replace(row, residual=float(np.sqrt(residual)), floor=float(np.sqrt(floor)))
    if residual <= ONE_ROUNDING * tensors.roundings * floor:
        return replace(row, verdict=Verdict.EQUAL, parents=block.parents)
    return replace(row, verdict=Verdict.NONE)


def _without_light(block: BlockTensors, found: Robust) -> tuple[BlockTensors, Robust]:
    """Leave out parents of no weight, if what is left stays as exact."""
    size = len(block.parents)
    weights, errors = np.abs(found.weights[:size]), found.errors[:size]
    heavy = np.flatnonzero(weights > np.maximum(3 * errors, LEAST_WEIGHT))
    if len(heavy) in (0, size) or (errors > LARGEST_ERROR).any():
        return block, found
    fewer = block.of(heavy.tolist())
    again = robust(fewer.tensors, fewer.form)
    if again.exact >= found.exact and again.follows.sum() >= found.follows.sum():
        return fewer, again
    return block, found


def _judged(
    row: Row, block: BlockTensors, told: BlockTensors, found: Robust, moved: BlockTensors
) -> Row:
    size = len(told.parents)
    follows = told.tensors[found.follows]
    residual = max(float(follows.residuals(found.weights).sum()), 0.0)
    nearest = float(told.tensors.to_target[:, :size].sum(axis=0).min())
    kind = left(
        follows.ratio(found.weights),
        found.weights,
        found.errors,
        float(follows.elements.sum()),
        follows.roundings,
    )
    exact = (
        found.exact
        and kind is not Left.MORE
        and (told.is_shared or _is_plain(told, follows, found))
    )
    if not exact and (size < 2 or residual > EXPLAINED * nearest):
        distance = row.distance if row.distance is not None else float(np.sqrt(nearest))
        floor = float(np.sqrt(block.tensors.floors.sum()))
        return replace(row, verdict=Verdict.NONE, residual=distance, floor=floor)
    row = replace(
        row, residual=float(np.sqrt(residual)), floor=float(np.sqrt(follows.floors.sum()))
    )
    weights, errors = found.weights[:size], found.errors[:size]
    parents, ordered, ordered_errors = in_order(told.parents, weights, errors)
    if exact and max(errors) > LARGEST_ERROR:
        return replace(row, verdict=Verdict.UNDETERMINED, parents=parents)
    order = [told.parents.index(each) for each in parents]
    deviating = [
        *_deviations(told[~found.follows], found.weights, order),
        *_deviations(moved.of(range(len(moved.parents))), None, order),
    ]
    return replace(
        row,
        verdict=Verdict.RECOVERED if exact else Verdict.APPROXIMATE,
        half=exact and kind is Left.HALF_ARITHMETIC,
        form=block.form,
        parents=parents,
        weights=ordered,
        errors=ordered_errors,
        deviating=tuple(sorted(deviating, key=lambda each: each.name)),
    )


def _is_plain(told: BlockTensors, follows: Tensors, found: Robust) -> bool:
    """Tell whether a block that stands alone is believed to be a sum: see LONE_DEVIATIONS."""
    elements = float(follows.elements.sum())
    most = largest_ratio(found.weights, found.errors, elements, deviations=LONE_DEVIATIONS)
    return told.form is not Form.SIGNED and follows.ratio(found.weights) <= most


def _deviations(
    block: BlockTensors, weights: Array | None, order: Sequence[int]
) -> list[Deviation]:
    """Return tensors that deviate; of `weights` None the parents' tensors are the same."""
    found = []
    for at, name in enumerate(block.names):
        tensor = block.tensors[np.array([at])]
        own = None if weights is None else explaining(tensor, block.form)
        squares = (
            tensor.to_target[0].min() if weights is None else float(tensor.residuals(weights)[0])
        )
        found.append(
            Deviation(
                name,
                None if own is None else tuple(float(own[each]) for each in order),
                float(np.sqrt(max(squares, 0.0))),
                float(np.sqrt(tensor.floors[0])),
            )
        )
    return found
