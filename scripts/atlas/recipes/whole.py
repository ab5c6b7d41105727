"""What is said of a whole component, from what is said of its blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from atlas.recipes.block_fits import BlockTensors, precisions
from atlas.recipes.fit import EXPLAINED
from atlas.recipes.rows import Row, in_order
from atlas.recipes.verdicts import Verdict
from atlas.recipes.within import Tensors, robust

MOSTLY = 0.9
"""Share of a component's elements that a verdict must hold of."""
FOLLOWED = (Verdict.RECOVERED, Verdict.EQUAL, Verdict.COPY, Verdict.CAST, Verdict.UNDETERMINED)


def whole_row(row: Row, blocks: Sequence[Row], tensors: Sequence[BlockTensors | None]) -> Row:
    """
    Return the row of a component.

    Parameters
    ----------
    row
        With the nearest model and its distance.
    blocks, tensors
        Its blocks' rows, and the tensors that those with parents were fitted by.
    """
    known = [each for each in blocks if each.verdict is not Verdict.NOT_COMPARED]
    if not known:
        return row
    row = replace(
        row,
        tensors=sum(each.tensors for each in known),
        parameters=sum(each.parameters for each in known),
        residual=_root(known, "residual"),
        floor=_root(known, "floor"),
    )
    share: dict[Verdict, int] = defaultdict(int)
    for each in known:
        share[each.verdict] += each.parameters
    followed = sum(share[each] for each in FOLLOWED) / max(row.parameters, 1)
    parents = _parents(known)
    sources = {each.parents for each in known if each.verdict in (Verdict.COPY, Verdict.CAST)}
    if (
        not parents
        or followed - share[Verdict.EQUAL] / max(row.parameters, 1)
        <= 0
        == share[Verdict.APPROXIMATE]
    ):
        if followed == 1 and share[Verdict.EQUAL]:
            return replace(row, verdict=Verdict.EQUAL, parents=parents)
        return replace(row, verdict=Verdict.NONE, residual=row.distance)
    if followed >= MOSTLY and (share[Verdict.RECOVERED] or len(sources) > 1):
        return _weighed(replace(row, verdict=Verdict.RECOVERED, parents=parents), known, tensors)
    if followed >= MOSTLY and share[Verdict.UNDETERMINED]:
        return replace(row, verdict=Verdict.UNDETERMINED, parents=parents)
    if followed >= MOSTLY and len(sources) == 1 and not share[Verdict.NONE]:
        return replace(row, verdict=Verdict.EQUAL, parents=parents)
    told = share[Verdict.RECOVERED] + share[Verdict.APPROXIMATE]
    if told < EXPLAINED * row.parameters:
        return replace(row, verdict=Verdict.NONE, residual=row.distance)
    return _weighed(replace(row, verdict=Verdict.APPROXIMATE, parents=parents), known, tensors)


def _root(blocks: Sequence[Row], name: str) -> float:
    return float(np.sqrt(sum((getattr(each, name) or 0.0) ** 2 for each in blocks)))


def _parents(blocks: Sequence[Row]) -> tuple[int, ...]:
    """Return all parents, those with the most weight first."""
    weight: dict[int, float] = defaultdict(float)
    for each in blocks:
        for at, parent in enumerate(each.parents):
            own = each.weights[at] if each.weights else 1e-9
            weight[parent] += own * each.parameters
    named = {
        each
        for row in blocks
        if row.verdict in (Verdict.RECOVERED, Verdict.APPROXIMATE)
        for each in row.parents
    }
    held = [each for each in weight if each in named] or list(weight)
    return tuple(sorted(held, key=lambda each: (-weight[each], each)))


def _weighed(row: Row, blocks: Sequence[Row], tensors: Sequence[BlockTensors | None]) -> Row:
    """Add the weights if one set serves all blocks."""
    fitted = [
        (each, own)
        for each, own in zip(blocks, tensors, strict=False)
        if own is not None and each.verdict in (Verdict.RECOVERED, Verdict.APPROXIMATE)
    ]
    forms = {own.form for _, own in fitted}
    if len(forms) != 1 or {len(own.parents) for _, own in fitted} == set():
        return row
    form = forms.pop()
    members = fitted[0][1].parents
    if any(own.parents != members for _, own in fitted) or set(members) != set(row.parents):
        return replace(row, form=form)
    if any(
        each.parents and each.verdict in (Verdict.COPY, Verdict.CAST) and len(row.parents) > 1
        for each in blocks
    ):
        return replace(row, form=form)
    kept = []
    for each, own in fitted:
        deviating = {one.name for one in each.deviating}
        kept.append(own[np.array([name not in deviating for name in own.names], dtype=bool)])
    every = Tensors(
        np.concatenate([own.tensors.between for own in kept]),
        np.concatenate([own.tensors.to_target for own in kept]),
        np.concatenate([own.tensors.floors for own in kept]),
        np.concatenate([own.tensors.elements for own in kept]),
        precisions(len(members), form),
        kept[0].tensors.roundings,
    )
    every = every[every.telling]
    found = robust(every, form)
    if row.verdict is Verdict.RECOVERED and not (found.exact and found.follows.all()):
        return replace(row, form=form)
    if row.verdict is Verdict.APPROXIMATE and _is_looser(every, found.weights, row):
        return replace(row, form=form)
    size = len(members)
    parents, weights, errors = in_order(members, found.weights[:size], found.errors[:size])
    residual = float(np.sqrt(max(every.residuals(found.weights).sum(), 0.0)))
    return replace(
        row, form=form, parents=parents, weights=weights, errors=errors, residual=residual
    )


def _is_looser(tensors: Tensors, weights: np.ndarray, row: Row) -> bool:
    """Tell whether one set of weights leaves clearly more than each block's own."""
    return bool(tensors.residuals(weights).sum() > 1.05 * (row.residual or 0.0) ** 2)
