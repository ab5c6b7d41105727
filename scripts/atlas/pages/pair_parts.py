"""What the page of a group tells of two models: identity, blocks, and tensors that moved most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from atlas.basis.arrow import numbers
from atlas.pages import decimals, identity_part
from atlas.pages.atlas_page import Group
from atlas.pages.decimals import (
    ABSENT,
    IDENTICAL,
    NOT_COMPARED,
    SHARED,
    UNDEFINED,
    Decimals,
)
from atlas.pages.packing import LEVEL, Packing
from atlas.pages.squares import scale
from atlas.plots.spread import Spread
from atlas.relations import ranking
from atlas.relations.block_values import IN_PART, Blocks, Cell, distinct, read_blocks
from atlas.relations.matrices import Matrix
from atlas.relations.near_pairs import MEASURES, NearPairs, near_pairs
from atlas.relations.ranking import BESIDE, EDGES

DIGITS = 3
"""Significant digits of blocks and tensors: a page has millions of them."""
CODES = {
    Cell.ABSENT: ABSENT,
    Cell.IDENTICAL: IDENTICAL,
    Cell.IDENTICAL_SO_FAR: SHARED,
    Cell.NOT_COMPARED: NOT_COMPARED,
}


@dataclass(frozen=True)
class Files:
    """The tables of a group that tell of its pairs."""

    distances: Path
    """The tidy table."""
    tensors: Path
    """The tensors of pairs that moved most."""
    spread: Path
    """How many tensors moved how far."""


def added(
    group: Group, files: Files, *, identity: pd.DataFrame, most: int, are_linked: bool
) -> Group:
    """
    Return the group with what its page tells of pairs.

    Parameters
    ----------
    identity
        The group's identity table.
    most
        So many pairs are told in full; of more, the near ones.
    are_linked
        Whether each pair has files of its own.
    """
    pairs = near_pairs(_nearness(group.matrices), _base(group), most)
    place = {component: number for number, component in enumerate(group.matrices)}
    blocks = read_blocks(files.distances, pairs.ids, pairs.first, pairs.second)
    parts = {
        f"blocks-{place[component]}": blocks_part(own)
        for component, own in blocks.items()
        if component in place
    }
    parts["tensors"] = tensors_part(ranking.read_table(files.tensors, ranking.TENSORS), pairs)
    parts["spread"] = spread_part(ranking.read_table(files.spread, ranking.SPREAD), pairs)
    parts["identity"] = identity_part.packed(identity, pairs.ids, _told(pairs))
    told: dict[str, Any] = {"is_all": pairs.are_all, "linked": are_linked, "said": ""}
    if not pairs.are_all:
        told |= {
            "one": group.packing.add(pairs.first),
            "other": group.packing.add(pairs.second),
            "said": _said(pairs, dict(zip(pairs.ids, _labels(group), strict=True))),
        }
    return replace(group, parts=parts, pairs=told)


def _nearness(found: Mapping[str, Sequence[Matrix]]) -> dict[str, Matrix]:
    """Return the matrices that tell who is near whom, as `near_pairs.read_distances` chooses."""
    chosen = {}
    for component, matrices in found.items():
        own = {matrix.measure: matrix for matrix in matrices}
        chosen[component] = next(own[measure] for measure in MEASURES if measure in own)
    return chosen


def _base(group: Group) -> str | None:
    return next(iter(group.matrices.values()))[0].base


def _labels(group: Group) -> tuple[str, ...]:
    return next(iter(group.matrices.values()))[0].labels


def _said(pairs: NearPairs, labels: Mapping[str, str]) -> str:
    told = [f"those of {labels[pairs.base]}"] if pairs.base is not None else []
    told += [f"those of each model with its {pairs.nearest} nearest"] if pairs.nearest else []
    return (
        f"Blocks and tensors of {len(pairs):,} pairs are in this page: {', and '.join(told)}. "
        "These two are none of them; distances.parquet has all."
    )


def _told(pairs: NearPairs) -> NDArray[np.int32]:
    """Return each pair's place among those that are told, -1 for none, of all pairs of models."""
    size = len(pairs.ids)
    first, second = pairs.first.astype(np.int64), pairs.second.astype(np.int64)
    told = np.full(size * (size - 1) // 2, -1, np.int32)
    told[first * size - first * (first + 1) // 2 + second - first - 1] = np.arange(len(pairs))
    return told


def blocks_part(blocks: Blocks) -> str:
    """Return the parts of a component, each distinct column of them once."""
    column, own = distinct(blocks)
    status, is_partial = own.status % IN_PART, own.status >= IN_PART
    told = decimals.decimals(own.values, DIGITS)
    digits = told.digits.copy()
    for cell, code in CODES.items():
        digits[status == cell] = code
    digits[(status == Cell.MEASURED) & np.isnan(own.values)] = UNDEFINED
    positive = own.values[(status == Cell.MEASURED) & (own.values > 0)]
    powers = np.where(digits >= decimals.FIRST, told.powers, 0).astype(np.int8)
    packing = Packing()
    return packing.packed(
        {
            "parts": [list(part) for part in own.parts],
            "column": packing.add(column),
            "numbers": decimals.packed(Decimals(digits.T, powers.T), packing, DIGITS),
            "partial": packing.add(is_partial.T.astype(np.uint8)),
            "scale": scale(Spread.of(positive)) if len(positive) else None,
        },
        level=LEVEL,
    )


def tensors_part(table: pa.Table, pairs: NearPairs) -> str:
    """Return the tensors of each pair that moved most, in order of rank."""
    most = int(numbers(table["rank"].combine_chunks()).max()) if len(table) else 0
    name = np.full((len(pairs), most), -1, np.int32)
    values = np.full((len(pairs), most), np.nan)
    rows = _pairs_of(table, pairs)
    rank = numbers(table["rank"].combine_chunks()) - 1
    words = [table[column].combine_chunks() for column in ("name", "component", "block", "role")]
    codes = np.stack([numbers(column.indices) for column in words], axis=1)
    if len(table):
        distinct_rows, number = np.unique(codes, axis=0, return_inverse=True)
        name[rows, rank] = number.ravel()
        values[rows, rank] = numbers(table["relative_l2"].combine_chunks())
    else:
        distinct_rows = codes
    listed = [column.dictionary.to_pylist() for column in words]
    packing = Packing()
    return packing.packed(
        {
            "names": [
                [own[code] for own, code in zip(listed, row, strict=True)] for row in distinct_rows
            ],
            "most": most,
            "name": packing.add(name),
            "numbers": decimals.packed(decimals.decimals(values, DIGITS), packing, DIGITS),
        },
        level=LEVEL,
    )


def spread_part(table: pa.Table, pairs: NearPairs) -> str:
    """Return how many tensors of each pair and component moved how far."""
    component = table["component"].combine_chunks()
    components = component.dictionary.to_pylist()
    counts = np.zeros((len(pairs), len(components), len(BESIDE) + len(EDGES) - 1), np.uint16)
    rows, at = _pairs_of(table, pairs), numbers(component.indices)
    for place, column in enumerate(BESIDE):
        counts[rows, at, place] = numbers(table[column].combine_chunks())
    bins = numbers(table["bins"].combine_chunks().values)
    counts[rows, at, len(BESIDE) :] = bins.reshape(len(table), len(EDGES) - 1)
    packing = Packing()
    edges = np.log10(EDGES).round(3).tolist()
    return packing.packed(
        {
            "components": components,
            "beside": BESIDE,
            "edges": edges,
            "counts": packing.add(counts),
        },
        level=LEVEL,
    )


def _pairs_of(table: pa.Table, pairs: NearPairs) -> NDArray[np.intp]:
    """Return the place of the pair that each row is of."""
    size = len(pairs.ids)
    place = np.full((size, size), -1, np.intp)
    place[pairs.first, pairs.second] = place[pairs.second, pairs.first] = np.arange(len(pairs))
    ends = list(_ends(table, pairs.ids))
    return np.asarray(place[ends[0], ends[1]])


def _ends(table: pa.Table, ids: Sequence[str]) -> Iterator[NDArray[np.intp]]:
    known = {model: number for number, model in enumerate(ids)}
    for side in ("a", "b"):
        column = table[side].combine_chunks()
        own = np.array([known.get(model, -1) for model in column.dictionary.to_pylist()], np.intp)
        yield own[numbers(column.indices)]
