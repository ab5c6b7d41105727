"""
Gather the parents of a component from a library: weights by sketches alone.

Sketches are linear: of t = Σ w p they keep S(t) = Σ w S(p), and of what rounding leaves in t its
squared length, give or take 9 % a block. So distances between sketches stand for those between
models, as sums over SUMS numbers a block; `atlas.recipes.fit` finds weights from them. What it
calls recovered is told here as `by sketch`: it is exact as far as a sketch can tell, which is less
than what the weights themselves tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.projection import SUMS
from atlas.library.entries import Block, Part
from atlas.library.identities import forms_between
from atlas.library.index import Index
from atlas.library.intervals import rounding
from atlas.names.block_order import in_order
from atlas.recipes.fit import WIDE_ROUNDINGS, Fit, fit_blocks, fit_part
from atlas.recipes.verdicts import Verdict

CANDIDATES = 40
"""The nearest models, which may be parents."""
ROUNDS, BEST = 5, 8
"""Of the search for parents that are not among them: see `Index.partners`."""
MOST = 4
"""Parents at most: sketches tell weights of few."""
WIDE = ("f32", "f64")
AGREE = 0.01
"""Weights of blocks that differ by less, or less than three of their errors, are one."""
PRECISION = 2.0**-40
"""Relative error of squares that are summed in float64."""


class Told(StrEnum):
    """What sketches tell of a part."""

    BY_SKETCH = "by sketch"
    """A weighted sum leaves no more than rounding does, as far as sketches can tell."""
    NEAR = "near by sketch"
    """A weighted sum comes near, and leaves more: another arithmetic, or more to it."""
    EQUAL = "equal"
    """A model of the library is the same here, or but for one rounding."""
    UNDETERMINED = "undetermined"
    """A sum explains it, and its weights can't be told."""
    NONE = "none"
    """No sum of models of the library explains it."""


WORDS = {
    Verdict.RECOVERED: Told.BY_SKETCH,
    Verdict.APPROXIMATE: Told.NEAR,
    Verdict.EQUAL: Told.EQUAL,
    Verdict.COPY: Told.EQUAL,
    Verdict.CAST: Told.EQUAL,
    Verdict.UNDETERMINED: Told.UNDETERMINED,
    Verdict.NONE: Told.NONE,
    Verdict.NOT_COMPARED: Told.NONE,
}


@dataclass(frozen=True)
class Gathered:
    """What some blocks of a component are made of."""

    blocks: tuple[str, ...]
    """In the network's order."""
    told: Told
    parents: tuple[str, ...]
    """Heaviest first."""
    weights: tuple[float, ...] | None
    errors: tuple[float, ...] | None
    """Standard errors of the weights."""
    residual: float
    """L2 of what the sum leaves, by sketch."""
    distance: float
    """L2 from the nearest model of the library, by sketch."""


@dataclass(frozen=True)
class _Problem:
    blocks: tuple[str, ...]
    models: tuple[str, ...]
    squares: NDArray[np.float64]
    """(blocks, n, n), the target first."""
    elements: NDArray[np.float64]
    floors: NDArray[np.float64] | None
    roundings: float

    def fits(self) -> tuple[Fit, ...]:
        """Return the fits of all blocks; of equal sketches there are no weights."""
        found = fit_blocks(
            self.squares,
            elements=self.elements,
            floors=self.floors,
            precision=PRECISION,
            roundings=self.roundings,
            most=MOST,
        )
        return tuple(
            self._equal(row) if self.squares[row, 0, 1:].min() == 0 else fit
            for row, fit in enumerate(found)
        )

    def _equal(self, row: int) -> Fit:
        parent = 1 + int(np.argmin(self.squares[row, 0, 1:]))
        return Fit((parent,), None, None, None, 0.0, 0.0, Verdict.EQUAL)

    def together(self, rows: Sequence[int], members: Sequence[int]) -> Fit:
        """Return the fit of several blocks by one set of weights, by some candidates alone."""
        places = [0, *members]
        some = self.squares[list(rows)][:, places][:, :, places]
        floors = self.floors
        return fit_part(
            some.sum(axis=0),
            elements=float(self.elements[list(rows)].sum()),
            floor=None if floors is None else float(np.sqrt((floors[list(rows)] ** 2).sum())),
            precision=PRECISION,
            roundings=self.roundings,
            most=MOST,
        )


def gather(part: Part, index: Index) -> list[Gathered]:
    """
    Return what a component is made of, as far as sketches tell: runs of blocks in order.

    Where the same weights hold in all blocks that have any, one entry stands first for these.
    Nothing where the library has fewer than two candidates.
    """
    problem = _problem(part, index)
    if problem is None:
        return []
    fits = problem.fits()
    weighed = [row for row, fit in enumerate(fits) if fit.verdict is Verdict.RECOVERED]
    rows_of: dict[str, int] = {block: row for row, block in enumerate(problem.blocks)}
    pooled = _pooled(problem, fits, weighed)
    others = [row for row, fit in enumerate(fits) if fit.verdict is not Verdict.EQUAL]
    together = weighed if pooled is not None and others == weighed else []
    first = [_gathered(problem, together, pooled)] if pooled is not None and together else []
    found: list[Gathered] = []
    for block in in_order(problem.blocks):
        row = rows_of[block]
        if row in together:
            continue
        each = _gathered(problem, [row], fits[row])
        if found and _agree(found[-1], each):
            found[-1] = _joined(found[-1], each)
        else:
            found.append(each)
    return first + found


def _problem(part: Part, index: Index) -> _Problem | None:
    parts = _candidates(part, index)
    if len(parts) < 2:
        return None
    nearest = {(block.block, block.layout) for block in parts[0][1].blocks}
    own = [block for block in part.blocks if (block.block, block.layout) in nearest]
    keys = {(block.block, block.layout) for block in own}
    held = [
        (model, {block.block: block for block in each.blocks})
        for model, each in parts
        if keys <= {(block.block, block.layout) for block in each.blocks}
    ]
    if len(held) < 2 or not own:
        return None
    shelves = [[block, *(blocks[block.block] for _, blocks in held)] for block in own]
    floors = [_floor(row) for row in shelves]
    return _Problem(
        blocks=tuple(block.block for block in own),
        models=tuple(model for model, _ in held),
        squares=np.stack([_squares(row) for row in shelves]),
        elements=np.array([min(SUMS, block.elements) for block in own], np.float64),
        floors=None if None in floors else np.array(floors, np.float64),
        roundings=WIDE_ROUNDINGS if part.dtypes[0] in WIDE else 1.0,
    )


def _candidates(part: Part, index: Index) -> list[tuple[str, Part]]:
    """Return models that may be parents, of each family of equal or rounded weights the widest."""
    by_model = {entry.model: entry for entry in index.entries}
    found: list[tuple[str, Part]] = []
    nearest = [match.model for match in index.search(part, CANDIDATES)]
    farther = index.partners(part, rounds=ROUNDS, each=BEST)
    for model in dict.fromkeys([*nearest, *farther]):
        other = by_model[model].part(part.component)
        if other is None:
            continue
        kin = [
            place
            for place, (_, each) in enumerate(found)
            if forms_between(each.digests, other.digests)
        ]
        if not kin:
            found.append((model, other))
        elif other.nbytes > found[kin[0]][1].nbytes:
            found[kin[0]] = (model, other)
    return found


def _squares(row: Sequence[Block]) -> NDArray[np.float64]:
    sums = np.stack([block.sums for block in row]).astype(np.float64)
    squares = np.zeros((len(row), len(row)))
    for place in range(len(row)):
        squares[place] = np.square(sums - sums[place]).sum(axis=1)
    return squares


def _floor(row: Sequence[Block]) -> float | None:
    """Return what rounding leaves: of the target's elements, and of the sums kept in float32."""
    own = row[0].floor
    if own is None:
        return None
    noise = [float(rounding(block.sums)) for block in row]
    return float(np.sqrt(own**2 + noise[0] + max(noise[1:])))


def _pooled(problem: _Problem, fits: Sequence[Fit], rows: Sequence[int]) -> Fit | None:
    """Return one set of weights for all blocks that have any, None where they differ."""
    if not rows:
        return None
    members = sorted({parent for row in rows for parent in fits[row].parents})
    pooled = problem.together(rows, members)
    if pooled.verdict is not Verdict.RECOVERED or pooled.weights is None:
        return None
    named = dict(zip((members[place - 1] for place in pooled.parents), pooled.weights, strict=True))
    for row in rows:
        fit = fits[row]
        own = dict(zip(fit.parents, fit.weights or (), strict=True))
        errors = dict(zip(fit.parents, fit.errors or (), strict=True))
        for parent in {*named, *own}:
            room = max(AGREE, 3 * errors.get(parent, max(errors.values(), default=0.0)))
            if abs(named.get(parent, 0.0) - own.get(parent, 0.0)) > room:
                return None
    parents = tuple(members[place - 1] for place in pooled.parents)
    return Fit(
        parents,
        pooled.weights,
        pooled.errors,
        pooled.form,
        pooled.residual,
        pooled.floor,
        pooled.verdict,
    )


def _gathered(problem: _Problem, rows: Sequence[int], fit: Fit) -> Gathered:
    nearest = problem.squares[list(rows)].sum(axis=0)[0, 1:].min()
    return Gathered(
        blocks=tuple(in_order(problem.blocks[row] for row in rows)),
        told=WORDS[fit.verdict],
        parents=tuple(problem.models[place - 1] for place in fit.parents),
        weights=fit.weights,
        errors=fit.errors,
        residual=fit.residual,
        distance=float(np.sqrt(nearest)),
    )


def _agree(one: Gathered, other: Gathered) -> bool:
    if one.told is not other.told:
        return False
    if one.weights is None or other.weights is None or one.errors is None or other.errors is None:
        return one.weights is other.weights and one.parents == other.parents
    if set(one.parents) != set(other.parents):
        return False
    mine = dict(zip(one.parents, zip(one.weights, one.errors, strict=True), strict=True))
    theirs = dict(zip(other.parents, zip(other.weights, other.errors, strict=True), strict=True))
    return all(
        abs(mine[each][0] - theirs[each][0]) <= max(AGREE, 3 * max(mine[each][1], theirs[each][1]))
        for each in mine
    )


def _joined(one: Gathered, other: Gathered) -> Gathered:
    """Return a run one block longer; its weights are those of the block that tells them best."""
    best = min((one, other), key=lambda each: max(each.errors or (0.0,)))
    return Gathered(
        blocks=(*one.blocks, *other.blocks),
        told=one.told,
        parents=best.parents,
        weights=best.weights,
        errors=best.errors,
        residual=float(np.hypot(one.residual, other.residual)),
        distance=float(np.hypot(one.distance, other.distance)),
    )
