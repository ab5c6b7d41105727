"""The table of low ranks: which pairs of models it is of, and what is said of each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd
import pyarrow as pa

from atlas.basis.errors import AtlasError, printable
from atlas.fingerprints.elements.files import OpenFiles
from atlas.low_rank import survey
from atlas.low_rank.differences import Models
from atlas.low_rank.survey import ALL
from atlas.low_rank.verdicts import Found, Verdict
from atlas.recipes import verdicts as recipes
from atlas.recipes.tables import WHOLE

COLUMNS = [
    "child", "base", "component", "role", "tensors", "low", "rank", "largest", "full", "verdict",
    "detail",
]  # fmt: skip
UNEXPLAINED = (recipes.Verdict.NONE, recipes.Verdict.APPROXIMATE)
"""Verdicts on a component that leave something to explain: it may be a LoRA."""

Pair = tuple[str, str, str]
"""A child, its base, and the component of which they are."""


def pairs(fits: pa.Table, bases: Mapping[str, str]) -> list[Pair]:
    """
    Return what is to be looked at of a group, in the order of its fits.

    Each component that no recipe explains, with the model that is nearest to it, and with the one
    that it is said to be made from.

    Parameters
    ----------
    fits
        FITS of `atlas.recipes.tables`.
    bases
        Model to the one that the roster names as its base, of those that are in the group.
    """
    columns = ("target", "component", "block", "verdict", "nearest")
    rows = zip(*(fits[column].to_pylist() for column in columns), strict=True)
    asked: dict[Pair, None] = {}
    for target, component, block, verdict, nearest in rows:
        if block == WHOLE and verdict in UNEXPLAINED:
            for base in (nearest, bases.get(target)):
                if base is not None and base != target:
                    asked[target, base, component] = None
    return list(asked)


def of_group(models: Models, asked: Iterable[Pair]) -> pd.DataFrame:
    """
    Return the rows of pairs, each read once; COLUMNS.

    Where a file of theirs can't be read, one row says so.
    """
    files = OpenFiles()
    known: dict[Pair, list[tuple[str, Found]]] = {}
    rows = []
    for child, base, component in asked:
        first, second = sorted((child, base))
        key = (first, second, component)
        if key not in known:
            logging.info("%s and %s: %s", first, second, component)
            known[key] = _found(files, models, key)
        rows += [_row(child, base, component, *each) for each in known[key]]
    return _frame(rows)


def of_pair(models: Models, first: str, second: str) -> pd.DataFrame:
    """Return the rows of all components of two models, the second as the base; COLUMNS."""
    found = models.differences(*sorted((first, second)))
    components = sorted({each.component for each in found})
    return of_group(models, [(first, second, component) for component in components])


def _found(files: OpenFiles, models: Models, pair: Pair) -> list[tuple[str, Found]]:
    try:
        return list(survey.of_component(files, models.differences(*pair)))
    except AtlasError as error:
        logging.warning("%s", error)
        return [(ALL, Found(Verdict.UNDECIDED, None, 0, 0, 0, 0, printable(str(error))))]


def _row(child: str, base: str, component: str, role: str, found: Found) -> Iterator[object]:
    yield from (child, base, component, role, found.tensors, found.low, found.rank)
    yield from (found.largest, found.full, str(found.verdict), found.detail)


def _frame(rows: Iterable[Iterable[object]]) -> pd.DataFrame:
    frame = pd.DataFrame([list(row) for row in rows], columns=COLUMNS)
    return frame.astype({"rank": "Int64"})
