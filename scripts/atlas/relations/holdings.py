"""What the models of a group hold by component, from the tables of identity and of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.names.components import OTHER
from atlas.tensors.tensors import ITEM_BYTES

READ = ["a", "b", "component", "verdict", "raw_is_ema"]
"""Columns of the identity table: the others are words and counts, and most of its size."""

UNKNOWN = -1
"""In place of bytes or of a dtype that are not known, or of one dtype where there are several."""

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def read_identity(path: Path) -> pd.DataFrame:
    """Return what is needed of a group's identity table: READ, each word kept once."""
    # Names stay names: an id or a component may be "null", which pandas would take for missing.
    return pd.read_csv(
        path, usecols=READ, dtype=dict.fromkeys(READ, "category"), keep_default_na=False
    )


def read_models(path: Path) -> pd.DataFrame:
    """Return a group's table of models as texts; what is not known is empty."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The rows of an identity table as numbers: shape (rows,) each."""

    models: tuple[str, ...]
    """In the roster's order."""
    components: tuple[str, ...]
    """Sorted."""
    a: Codes
    b: Codes
    component: Codes
    verdict: Codes
    verdicts: tuple[str, ...]
    """What the numbers of `verdict` stand for."""
    a_is_average: Flags
    """Whether a's raw weights are b's training copy (EMA), bit for bit."""
    b_is_average: Flags
    """The same the other way."""

    @classmethod
    def of(cls, identity: pd.DataFrame, models: Sequence[str]) -> Pairs:
        """
        Return the rows of a table.

        Parameters
        ----------
        identity
            The columns READ.
        models
            All models of the group, in the roster's order.
        """
        place = {model: at for at, model in enumerate(models)}
        components = sorted(set(identity["component"].astype(object)))
        known = {component: at for at, component in enumerate(components)}
        sides = identity["raw_is_ema"].astype("category")
        words = sides.cat.categories.astype(str)
        holds = {
            side: np.array([side in word for word in words], dtype=bool)[sides.cat.codes]
            if len(words)
            else np.zeros(len(identity), dtype=bool)
            for side in "ab"
        }
        verdict = identity["verdict"].astype("category")
        return cls(
            tuple(models),
            tuple(components),
            _numbers(identity["a"], place),
            _numbers(identity["b"], place),
            _numbers(identity["component"], known),
            verdict.cat.codes.to_numpy().astype(np.int64),
            tuple(verdict.cat.categories),
            holds["a"],
            holds["b"],
        )

    def has(self, verdict: str) -> Flags:
        """Return the rows of a verdict."""
        if verdict not in self.verdicts:
            return np.zeros(len(self.verdict), dtype=bool)
        return np.asarray(self.verdict == self.verdicts.index(verdict))


def _numbers(words: pd.Series, known: dict[str, int]) -> Codes:
    """Return the numbers of words, looked up once for each word."""
    own = words.astype("category")
    lookup = np.array([known[word] for word in own.cat.categories], dtype=np.int64)
    return lookup[own.cat.codes] if len(lookup) else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Holdings:
    """What models hold: arrays of shape (models, components)."""

    models: tuple[str, ...]
    components: tuple[str, ...]
    held: Flags
    """Where a model has the component, be it read or not."""
    unread: Flags
    """Where it has one that was not read."""
    bytes: Codes
    """Of the component's weights as stored; UNKNOWN where they are not told."""
    dtype: npt.NDArray[np.object_]
    """The commonest dtype; "" where none is told."""
    widest: Codes
    """Bytes of an element of the widest dtype; UNKNOWN where none is told."""
    narrowest: Codes
    widest_dtype: Codes
    """Number of the dtype that is the widest; UNKNOWN where several are."""
    narrowest_dtype: Codes
    is_broken: Flags
    """Per model: whether it, or a component of it, could not be read."""
    is_refused: Flags
    """Per model: whether a component is in a form that is not read."""

    @classmethod
    def of(cls, pairs: Pairs, described: pd.DataFrame) -> Holdings:
        """
        Return what models hold.

        A model whose names were matched by contents has another component in the one table than
        in the other: where one is left over in each, they are the same.

        Parameters
        ----------
        described
            The group's table of models, as `read_models` gives it.
        """
        models, components = pairs.models, pairs.components
        size = len(models), len(components)
        at = {component: column for column, component in enumerate(components)}
        unread = np.zeros(size, dtype=bool)
        numbers = {name: np.full(size, UNKNOWN, dtype=np.int64) for name in _NUMBERS}
        dtype = np.full(size, "", dtype=object)
        is_broken, is_refused = (np.zeros(len(models), dtype=bool) for _ in range(2))
        own: dict[str, list[dict[Any, Any]]] = {}
        for record in described[described["component"] != OTHER].to_dict("records"):
            own.setdefault(record["model"], []).append(record)
        held = _held(pairs)
        for row, model in enumerate(models):
            records = own.get(model, [])
            for record in records:
                is_broken[row] |= bool(record["problem"])
                is_refused[row] |= bool(record["refused"])
                if record["component"] in at and (record["problem"] or record["refused"]):
                    unread[row, at[record["component"]]] = True
            held[row] |= unread[row]
            read = {one["component"]: one for one in records if one["dtype"]}
            for component, record in _renamed(read, held[row] & ~unread[row], components).items():
                column = at[component]
                dtype[row, column] = record["dtype"].split()[0]
                for name, value in _widths(record["dtype"]).items():
                    numbers[name][row, column] = value
                if record["bytes"]:
                    numbers["bytes"][row, column] = int(record["bytes"])
        return cls(
            models, components, held, unread, dtype=dtype, **numbers,
            is_broken=is_broken, is_refused=is_refused,
        )  # fmt: skip

    def may_be_rounded(self, copy: Codes, source: Codes, component: Codes) -> Flags:
        """
        Return where a component can only be the rounded side of two that round to one another.

        So it is where each of its dtypes is narrower than each of the source's, or one dtype that
        both have is the copy's widest and the source's narrowest. float16 and bfloat16 are as wide:
        nothing is told of them.

        Parameters
        ----------
        copy, source, component
            Numbers of models and components, of one shape.
        """
        widest, narrowest = self.widest[copy, component], self.narrowest[source, component]
        known = (widest != UNKNOWN) & (narrowest != UNKNOWN)
        top, bottom = self.widest_dtype[copy, component], self.narrowest_dtype[source, component]
        at_one = (widest == narrowest) & (top == bottom) & (top != UNKNOWN)
        return np.asarray(known & ((widest < narrowest) | at_one))


_NUMBERS = ("bytes", "widest", "narrowest", "widest_dtype", "narrowest_dtype")
_DTYPES = list(ITEM_BYTES)


def _held(pairs: Pairs) -> Flags:
    """Return where a model has a component that was read, of models × components."""
    held = np.zeros((len(pairs.models), len(pairs.components)), dtype=bool)
    told = ~pairs.has("refused")
    has_a, has_b = told & ~pairs.has("only in b"), told & ~pairs.has("only in a")
    held[pairs.a[has_a], pairs.component[has_a]] = True
    held[pairs.b[has_b], pairs.component[has_b]] = True
    return held


def _renamed(
    read: dict[str, dict[Any, Any]], held: Flags, components: Sequence[str]
) -> dict[str, dict[Any, Any]]:
    """Return the records of a model's components by the names that the identity table has."""
    names = [components[column] for column in np.flatnonzero(held).tolist()]
    found = {name: read[name] for name in names if name in read}
    left = [record for name, record in read.items() if name not in found]
    lacking = [name for name in names if name not in found]
    if len(left) == len(lacking) == 1:
        found[lacking[0]] = left[0]
    return found


def _widths(dtypes: str) -> dict[str, int]:
    """Return what is told of widths for the dtypes of a component."""
    widths = {_DTYPES.index(dtype): ITEM_BYTES[dtype] for dtype in dtypes.split()}
    found = {}
    for name, width in (("widest", max(widths.values())), ("narrowest", min(widths.values()))):
        of_width = [dtype for dtype, own in widths.items() if own == width]
        found[name] = width
        found[f"{name}_dtype"] = of_width[0] if len(of_width) == 1 else UNKNOWN
    return found
