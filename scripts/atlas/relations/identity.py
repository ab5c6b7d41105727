"""Say of every pair of models which components are the same, and of the others what differs."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.relations.contents import Contents
from atlas.relations.copies import Copies
from atlas.relations.elsewhere import Elsewhere
from atlas.relations.judgements import COUNTS, NAMES, Judgements
from atlas.relations.renamed import Renamed
from atlas.relations.statuses import Statuses

COLUMNS = [
    "a", "b", "component", "verdict", "identical_tensors", "tensors", "what",
    "cast_tensors", "different_tensors", "shape_tensors", "only_a_tensors", "only_b_tensors",
    "nonfinite_tensors", "refused_tensors", "renamed_tensors", "raw_is_ema",
]  # fmt: skip


EMA_OF = "raw weights of {raw} are the EMA of {copy}"
"""What is noted of two models by their ids."""


def table(contents: Contents) -> pd.DataFrame:
    """
    Return the identity table: a row per pair and component, sorted by both ids.

    A model without any tensor (it could not be read, or is an adapter) has no pairs: it would be
    told to lack every component.

    Parameters
    ----------
    contents
        The models in order of id.
    """
    rows = _Rows(contents)
    judgements, statuses = Judgements(contents), Statuses(contents)
    renamed = Renamed(contents)
    held_any = np.flatnonzero((contents.index >= 0).any(axis=0)).tolist()
    for place, first in enumerate(held_any):
        status = statuses.after(first)
        special = {second: each for second, *each in renamed.after(first, status)}
        packed = judgements.packed(status)
        for second in held_any[place + 1 :]:
            for part, key in enumerate(packed[second - first - 1]):
                told = judgements.of(part, first, second, key, special.get(second))
                if told is not None:
                    rows.add(first, second, judgements.parts[part].component, told)
    return rows.frame(judgements)


class _Rows:
    """Takes the rows of the table one by one; what many of them share is kept once."""

    def __init__(self, contents: Contents) -> None:
        self.models = contents.models
        self.copies, self.elsewhere = Copies(contents), Elsewhere(contents)
        self.components: dict[str, int] = {}
        self.ends, self.told, self.component = (array("i") for _ in range(3))
        self.what: list[str] = []
        self.raw_is_ema: list[str] = []

    def add(self, first: int, second: int, component: str, told: tuple[int, str]) -> None:
        """Take in a row: the number of its judgement, and its words without the ids."""
        number, words = told
        names = self.models[first], self.models[second]
        if "\0" in words:
            for sign, name in zip(NAMES, names, strict=True):
                words = words.replace(sign, name)
        sides = self.copies.sides(first, second, component)
        for side in sides:
            raw, copy = names if side == "a" else names[::-1]
            words += "; " + EMA_OF.format(raw=raw, copy=copy)
        if self.elsewhere.is_likely:
            words = "; ".join([words, *self.elsewhere.notes(first, second, component)])
        self.ends.extend((first, second))
        self.told.append(number)
        self.component.append(self.components.setdefault(component, len(self.components)))
        self.what.append(words)
        self.raw_is_ema.append(sides)

    def frame(self, judgements: Judgements) -> pd.DataFrame:
        """Return the rows as the table."""
        first, second = np.array(self.ends, dtype=np.int32).reshape(-1, 2).T
        told = np.array(self.told, dtype=np.int32)
        counts = judgements.counts[told]
        columns: dict[str, object] = {
            "a": _taken(self.models, first),
            "b": _taken(self.models, second),
            "component": _taken(list(self.components), np.array(self.component, np.int32)),
            "verdict": _taken(judgements.verdicts, told),
            "what": pd.array(self.what, dtype=str),
            "raw_is_ema": pd.array(self.raw_is_ema, dtype=str),
        }
        columns |= {name: counts[:, column] for column, name in enumerate(COUNTS)}
        return pd.DataFrame({name: columns[name] for name in COLUMNS})


def _taken(words: Sequence[str], codes: npt.NDArray[np.int32]) -> pd.Series:
    """Return words by their numbers, each kept once."""
    own = pd.Series(words, dtype="category")
    return own.take(codes).reset_index(drop=True)
