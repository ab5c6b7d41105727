"""One component of a group: its models' blocks as numbers, and each target's likely parents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas.recipes.block_squares import BlockSquares
from atlas.recipes.bounds import MEASURED
from atlas.recipes.choosing import NOTHING, Choice, choose
from atlas.recipes.families import Families
from atlas.recipes.fit import WIDE_ROUNDINGS, of_block
from atlas.recipes.measuring import Part
from atlas.recipes.search import solved
from atlas.recipes.verdicts import Form
from atlas.relations.contents import Contents

Array = NDArray[np.float64]

HALF = 0.5
"""A candidate is compared in at least so much of what any is."""
WIDE = ("f32", "f64")


@dataclass(frozen=True)
class Parents:
    """The likely parents of a target: models of the group, by block."""

    whole: tuple[int, ...]
    form: Form | None
    exact: bool
    by_block: tuple[tuple[int, ...], ...]
    """Those of each block: the component's, but where only others are exact."""
    forms: tuple[Form | None, ...]
    """Of each block's."""

    def all(self) -> list[int]:
        """Return all of them, those of the whole component first."""
        return list(dict.fromkeys([*self.whole, *(one for own in self.by_block for one in own)]))


@dataclass(frozen=True, eq=False)
class Component:
    """A component's tensors, models and squares."""

    contents: Contents
    families: Families
    squares: BlockSquares

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """Contents, (tensors, models); -1 where absent."""
        return self.contents.index[self.families.rows]

    @cached_property
    def block_of(self) -> NDArray[np.intp]:
        """Each tensor's block as a place in `squares.blocks`; -1 where nothing was compared."""
        place = {block: at for at, block in enumerate(self.squares.blocks)}
        blocks = self.contents.tensors["block"].to_numpy()[self.families.rows]
        return np.array([place.get(block, -1) for block in blocks], np.intp)

    @cached_property
    def rounding(self) -> Array:
        """Squared L2 that rounding leaves of each tensor, (tensors, models); 0 where unknown."""
        own = self.contents.contents["rounding"].to_numpy(np.float64, na_value=0.0) ** 2
        return self._of(np.nan_to_num(own))

    @cached_property
    def norms(self) -> Array:
        """Squared norms, (tensors, models)."""
        return self._of(self.contents.contents["norm"].to_numpy(np.float64) ** 2)

    @cached_property
    def numel(self) -> NDArray[np.int64]:
        """Elements of each tensor, (tensors, models): 0 where there is none that is finite."""
        finite = self.contents.contents["nonfinite"].to_numpy() == 0
        own = self.contents.contents["numel"].to_numpy(np.int64) * finite
        return np.asarray(np.where(self.index >= 0, own[np.maximum(self.index, 0)], 0))

    def _of(self, values: Array) -> Array:
        return np.asarray(np.where(self.index >= 0, values[np.maximum(self.index, 0)], 0.0))

    def by_block(self, values: NDArray[np.generic]) -> Array:
        """Add up what tensors have, (tensors, ...), to blocks, (blocks, ...)."""
        total = np.zeros((len(self.squares.blocks), *values.shape[1:]))
        known = self.block_of >= 0
        np.add.at(total, self.block_of[known], values[known])
        return total

    @cached_property
    def own(self) -> NDArray[np.bool_]:
        """Where a tensor is no other candidate's as well, (tensors, models)."""
        leaders = self.families.leaders
        held = self.index[:, leaders]
        alone = np.zeros(self.index.shape, bool)
        for row, contents in enumerate(held):
            _, inverse, count = np.unique(contents, return_inverse=True, return_counts=True)
            alone[row, leaders] = count[inverse] == 1
        return alone

    @cached_property
    def floors(self) -> Array:
        """L2 that rounding leaves of tensors that are a model's own, (blocks, models)."""
        return np.sqrt(self.by_block(np.where(self.own, self.rounding, 0.0)))

    @cached_property
    def elements(self) -> Array:
        """
        Elements of the same, as far as they tell of noise, (blocks, models).

        Where tensors are rounded more or less coarsely, as norms are beside matrices, a sum of
        squares scatters as that of fewer elements would: (Σ r²)² / Σ (r⁴ / n).
        """
        numel = self.by_block(np.where(self.own, self.numel, 0))
        squares = np.where(self.own, self.rounding, 0.0)
        fourth = self.by_block(squares**2 / np.maximum(self.numel, 1))
        total = self.by_block(squares) ** 2
        return np.divide(total, fourth, out=numel, where=fourth > 0)

    @cached_property
    def _wide(self) -> NDArray[np.bool_]:
        """Which models are float32 or wider for the most part, (models,)."""
        wide = self.contents.contents["dtype"].isin(WIDE).to_numpy(bool)
        own = np.where(self.index >= 0, wide[np.maximum(self.index, 0)], False)
        return np.asarray(2 * (self.numel * own).sum(axis=0) > self.numel.sum(axis=0))

    def roundings(self, target: int) -> float:
        """Return how many roundings of the target's size its making may have had."""
        return WIDE_ROUNDINGS if self._wide[target] else 1.0

    @cached_property
    def block_numel(self) -> Array:
        """Elements of finite tensors, (blocks, models)."""
        return self.by_block(self.numel)

    @cached_property
    def block_norms(self) -> Array:
        """Squared norms, (blocks, models)."""
        return self.by_block(self.norms)

    @cached_property
    def block_roundings(self) -> Array:
        """Squared L2 that rounding leaves, (blocks, models)."""
        return self.by_block(self.rounding)

    @cached_property
    def _is_uniform(self) -> bool:
        """Whether all candidates are compared in the same tensors."""
        leaders = np.array(self.families.leaders, np.intp)
        compared = self.squares.compared[:, leaders[:, None], leaders]
        apart = compared[:, ~np.eye(len(leaders), dtype=bool)]
        return bool(apart.size and (apart > 0).all() and (apart == apart[:, :1]).all())

    def comparable(self, target: int) -> tuple[list[int], NDArray[np.intp]]:
        """Return candidates of a target, and the blocks in which all of these are compared."""
        candidates = [each for each in self.families.leaders if each != target]
        if not candidates:
            return [], np.zeros(0, np.intp)
        if self._is_uniform:
            return candidates, np.arange(len(self.squares.blocks))
        compared = self.squares.compared[:, target][:, candidates]
        most = compared.max(axis=1)
        full = (compared == most[:, None]) & (most[:, None] > 0)
        share = (full * most[:, None]).sum(axis=0) / max(int(most.sum()), 1)
        for least in (HALF, 1.0):
            held = [each for each, own in zip(candidates, share, strict=True) if own >= least]
            if held:
                among = self.squares.compared[:, held][:, :, held]
                own = np.eye(len(held), dtype=bool)
                fits = ((among == most[:, None, None]) | own).all(axis=(1, 2))
                fits &= full[:, [candidates.index(each) for each in held]].all(axis=1)
                if fits.any():
                    return held, np.flatnonzero(fits)
        return [], np.zeros(0, np.intp)

    def parents(self, target: int, *, most: int) -> Parents:
        """Return the likely parents of a target, from its blocks' squares."""
        blocks = len(self.squares.blocks)
        candidates, usable = self.comparable(target)
        usable = usable[self.elements[usable, target] > 1]
        if len(candidates) < 2 or not len(usable):
            return Parents((), None, False, ((),) * blocks, (None,) * blocks)
        part = self._part(target, candidates, usable)
        choice = choose(part, most=most, norms=self._norms(target, candidates, usable))
        own = [choice] * blocks
        if choice.form is not Form.SCALED:
            for at, block in enumerate(usable.tolist()):
                own[block] = of_block(part, at, choice, most=most)
        whole = tuple(candidates[each] for each in choice.members)
        worn = self._versions(target, whole, choice, usable)
        by_block = tuple(
            worn if each is choice else tuple(candidates[one] for one in each.members)
            for each in own
        )
        forms = tuple(each.form for each in own)
        return Parents(worn, choice.form, choice.exact, by_block, forms)

    def _part(self, target: int, candidates: Sequence[int], usable: NDArray[np.intp]) -> Part:
        places = np.array([target, *candidates], np.intp)
        squares = self.squares.squares[np.ix_(usable, places, places)]
        return Part.of(
            squares,
            self.elements[usable, target],
            self.floors[usable, target],
            MEASURED,
            self.roundings(target),
        )

    def _norms(
        self, target: int, candidates: Sequence[int], usable: NDArray[np.intp]
    ) -> Array | None:
        """Return norms, (blocks, n), if all of them are over the same tensors."""
        places = [target, *candidates]
        numel = self.block_numel[usable][:, places]
        if (numel != self.squares.compared[usable][:, target, candidates[0]][:, None]).any():
            return None
        return np.asarray(np.sqrt(self.block_norms[usable][:, places]))

    def _versions(
        self, target: int, whole: tuple[int, ...], choice: Choice, usable: NDArray[np.intp]
    ) -> tuple[int, ...]:
        """Take, of a parent that is there in several dtypes, the version that fits clearly best."""
        if choice is NOTHING or choice.form is Form.SCALED:
            return whole
        convex = choice.form is Form.CONVEX
        held = list(whole)
        for at, parent in enumerate(whole):
            versions = [
                each
                for each in self.families.alike(parent)
                if self.families.same[each] == each
                and (self.squares.compared[usable, target, each] > 0).all()
            ]
            if not versions:
                continue
            part = self._part(target, [*held, *versions], usable)
            problem = part.problem()
            best = solved(problem, range(len(held)), convex=convex).worth - problem.room
            for place, version in enumerate(versions, len(held)):
                tried = [place if each == at else each for each in range(len(held))]
                if (worth := solved(problem, tried, convex=convex).worth) < best:
                    best, held[at] = worth, version
        return tuple(held)
