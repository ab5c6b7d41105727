"""The recipes of all models of a group, by component and block."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from atlas.distances.shards import NameRows
from atlas.names.components import OTHER
from atlas.recipes import rows as told
from atlas.recipes.block_fits import BlockTensors, fit_block, precisions
from atlas.recipes.block_squares import BlockSquares
from atlas.recipes.bounds import is_common
from atlas.recipes.component import Component, Parents
from atlas.recipes.families import families
from atlas.recipes.gathering import Gathered, gather
from atlas.recipes.rows import Row
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Form, Verdict
from atlas.recipes.whole import whole_row
from atlas.recipes.within import ONE_ROUNDING, Tensors
from atlas.relations.contents import Contents

Array = NDArray[np.float64]


def fit(
    contents: Contents,
    squares: Iterable[BlockSquares],
    shards: Iterable[NameRows],
    *,
    order: Sequence[str],
    most: int,
) -> pa.Table:
    """
    Return the recipes of a group: see FITS.

    Parameters
    ----------
    contents
        The group's models side by side.
    squares
        Their components' block squares.
    shards
        The measured distances, which are read once.
    order
        The models in the roster's order, which is that of the table.
    most
        Largest number of parents.
    """
    components, parents = [], []
    for known in squares:
        if known.component == OTHER:
            continue
        component = Component(contents, families(contents, known.component), known)
        components.append(component)
        parents.append(
            {target: component.parents(target, most=most) for target in component.families.leaders}
        )
        logging.info("%s: %d models that differ", known.component, len(parents[-1]))
    wanted = [{target: own.all() for target, own in each.items() if own.all()} for each in parents]
    gathered = gather(components, wanted, shards)
    found: dict[tuple[int, str], list[Row]] = {}
    for component, own, tensors in zip(components, parents, gathered, strict=True):
        parts = Parts(component)
        for target in component.families.holders:
            found[target, component.families.component] = parts.rows(target, own, tensors)
    place = {model: at for at, model in enumerate(contents.models)}
    laid = [
        row
        for model in order
        for name in sorted(each.families.component for each in components)
        for row in found.get((place[model], name), [])
    ]
    by_name = {each.families.component: each.families for each in components}
    return told.table(laid, contents.models, lambda name, model: by_name[name].alike(model))


class Parts:
    """Judges the parts of a component's models."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.families = component.families
        self.squares = component.squares
        self.names = component.contents.tensors["name"].to_numpy()[self.families.rows]
        self.rows_of = [
            np.flatnonzero(component.block_of == block) for block in range(len(self.squares.blocks))
        ]
        self.alike = [_classes(component.index[rows]) for rows in self.rows_of]

    def rows(self, target: int, parents: Mapping[int, Parents], gathered: Gathered) -> list[Row]:
        """Return a target's rows: of the whole component, then of its blocks."""
        same = self.families.same[target]
        if same != target:
            return self._copied(target, same, Verdict.COPY)
        if target in self.families.source:
            return self._copied(target, self.families.source[target], Verdict.CAST)
        likely = parents[target]
        blocks = [
            self._block(target, block, likely, gathered)
            for block in range(len(self.squares.blocks))
            if self.component.block_numel[block, target]
        ]
        blocks = _of_one_arithmetic(blocks)
        nearest, distance = self._nearest(target, None)
        empty = Row(
            target,
            self.families.component,
            WHOLE,
            Verdict.NOT_COMPARED,
            nearest=nearest,
            distance=distance,
        )
        return [
            whole_row(empty, [row for row, _ in blocks], [each for _, each in blocks]),
            *[row for row, _ in blocks],
        ]

    def _copied(self, target: int, source: int, verdict: Verdict) -> list[Row]:
        """Return the rows of a model that is another one, or it rounded."""
        found = []
        numel = self.component.numel[:, target]
        roundings = self.component.block_roundings[:, target]
        every = [(WHOLE, None), *((name, at) for at, name in enumerate(self.squares.blocks))]
        for name, block in every:
            rows = slice(None) if block is None else self.rows_of[block]
            if not numel[rows].any():
                continue
            own = self.squares.squares[:, target, source]
            square = np.nansum(own) if block is None else np.nan_to_num(own[block])
            floor = roundings.sum() if block is None else roundings[block]
            distance = 0.0 if verdict is Verdict.COPY else float(np.sqrt(square))
            row = Row(
                target,
                self.families.component,
                name,
                verdict,
                nearest=source,
                distance=distance,
                tensors=int((numel[rows] > 0).sum()),
                parameters=int(numel[rows].sum()),
            )
            row = told.of_one(row, source, verdict, distance)
            if verdict is Verdict.CAST:
                row = replace(row, floor=float(np.sqrt(floor)))
            found.append(row)
        return found

    def _nearest(self, target: int, block: int | None) -> tuple[int | None, float | None]:
        """Return the nearest model that is no copy or cast of a target, and its distance."""
        others = [each for each in self.families.leaders if each != target]
        if not others:
            return None, None
        blocks = slice(None) if block is None else slice(block, block + 1)
        own = self.squares.squares[blocks, target][:, others]
        counted = self.squares.compared[blocks, target][:, others].sum(axis=0)
        square = np.nansum(own, axis=0)
        square[counted < counted.max()] = np.inf
        if not counted.max():
            return None, None
        best = int(np.argmin(square))
        return others[best], float(np.sqrt(square[best]))

    def _block(
        self, target: int, block: int, likely: Parents, gathered: Gathered
    ) -> tuple[Row, BlockTensors | None]:
        nearest, distance = self._nearest(target, block)
        numel = self.component.numel[self.rows_of[block], target]
        row = Row(
            target,
            self.families.component,
            self.squares.blocks[block],
            Verdict.NOT_COMPARED,
            nearest=nearest,
            distance=distance,
            tensors=int((numel > 0).sum()),
            parameters=int(numel.sum()),
        )
        if nearest is None or distance is None:
            return replace(row, tensors=0, parameters=0), None
        members = likely.by_block[block]
        tensors = self._tensors(target, block, likely, gathered) if members else None
        held = self.alike[block]
        sources = [each for each in self._candidates(target) if held[each] == held[target] >= 0]
        if sources:
            if members and len({int(held[each]) for each in members}) == 1:
                return replace(
                    row, verdict=Verdict.EQUAL, parents=members, residual=0.0, floor=0.0
                ), None
            source = next((each for each in [*members, nearest] if each in sources), sources[0])
            return told.of_one(row, source, Verdict.COPY), None
        rows = self.rows_of[block]
        for source in [*members, nearest]:
            of, copy = self.component.index[rows, source], self.component.index[rows, target]
            if self.component.contents.gives(of, copy)[copy >= 0].all():
                square = self.squares.squares[block, target, source]
                return told.of_one(row, source, Verdict.CAST, float(np.sqrt(square))), None
        if tensors is not None:
            return fit_block(row, tensors), tensors
        floor = float(self.component.floors[block, target])
        row = replace(row, residual=distance, floor=floor)
        if distance**2 <= ONE_ROUNDING * self.component.roundings(target) * floor**2:
            return replace(row, verdict=Verdict.EQUAL, parents=(nearest,)), None
        return replace(row, verdict=Verdict.NONE), None

    def _candidates(self, target: int) -> list[int]:
        own = self.families.family[target]
        return [each for each in self.families.holders if self.families.family[each] != own]

    def _tensors(
        self, target: int, block: int, likely: Parents, gathered: Gathered
    ) -> BlockTensors:
        """Return the tensors of a block with the parents that it may have."""
        every, squares = gathered.of(target)
        members = likely.by_block[block]
        places = [0, *(1 + every.index(each) for each in members)]
        rows = self.rows_of[block]
        own = squares[rows][:, places][:, :, places]
        fits = np.isfinite(own).all(axis=(1, 2)) & (self.component.numel[rows, target] > 0)
        rows, own = rows[fits], own[fits]
        form = likely.forms[block] or Form.CONVEX
        between, to_target = own[:, 1:, 1:], own[:, 0, 1:]
        if form is Form.SCALED:
            norms = self.component.norms[rows]
            between = np.pad(between, ((0, 0), (0, 1), (0, 1)))
            between[:, -1, :-1] = between[:, :-1, -1] = norms[:, members]
            to_target = np.concatenate([to_target, norms[:, [target]]], axis=1)
        tensors = Tensors(
            between,
            to_target,
            self.component.rounding[rows, target],
            self.component.numel[rows, target].astype(np.float64),
            precisions(len(members), form),
            self.component.roundings(target),
        )
        roundings = self.component.rounding[rows][:, list(members)]
        names = tuple(self.names[rows])
        return BlockTensors(names, members, tensors, roundings, form, likely.exact)


_Blocks = list[tuple[Row, BlockTensors | None]]


def _of_one_arithmetic(blocks: _Blocks) -> _Blocks:
    """Let blocks that only half precision explains come near, unless most blocks are so."""
    half = sum(row.half for row, _ in blocks)
    told = (Verdict.RECOVERED, Verdict.APPROXIMATE)
    if is_common(half, sum(row.verdict in told for row, _ in blocks)):
        return blocks
    return [
        (replace(row, verdict=Verdict.APPROXIMATE) if row.half else row, own) for row, own in blocks
    ]


def _classes(index: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return a number by model, equal where all contents are; -1 where there are none."""
    numbers: dict[bytes, int] = defaultdict(lambda: len(numbers))
    held = [numbers[np.ascontiguousarray(own).tobytes()] for own in index.T]
    return np.where((index >= 0).any(axis=0), held, -1)
