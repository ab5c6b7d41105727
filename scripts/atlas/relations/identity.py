"""Say of every pair of models which components are the same, and of the others what differs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.names.components import EMA
from atlas.relations.contents import Contents, Status, compared
from atlas.relations.elsewhere import Elsewhere
from atlas.relations.verdicts import Comparison, judge

COLUMNS = [
    "a", "b", "component", "verdict", "identical_tensors", "tensors", "what",
    "cast_tensors", "different_tensors", "shape_tensors", "only_a_tensors", "only_b_tensors",
    "nonfinite_tensors", "refused_tensors", "renamed_tensors", "raw_is_ema",
]  # fmt: skip


EMA_OF = "raw weights of {raw} are the EMA of {copy}"
"""What is noted of two models by their ids."""


def table(contents: Contents) -> pd.DataFrame:
    """Return the identity table: a row per pair and component, sorted by both ids."""
    rows = [_row(comparison) for comparison in comparisons(contents)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["a", "b", "component"], ignore_index=True)


def comparisons(contents: Contents) -> Iterator[Comparison]:
    """
    Yield every pair of models (a < b) with every component that either has.

    A model without any tensor (it could not be read, or is an adapter) has no pairs: it would be
    told to lack every component.
    """
    components = contents.tensors["component"].to_numpy()
    rows_of = {each: np.flatnonzero(components == each) for each in sorted(set(components))}
    copies, elsewhere = _Copies(contents), Elsewhere(contents)
    held_any = np.flatnonzero((contents.index >= 0).any(axis=0)).tolist()
    for first, second in combinations(held_any, 2):
        held = contents.index[:, first], contents.index[:, second]
        status = contents.status(*held)
        adopted = contents.adopted[:, first] != contents.adopted[:, second]
        renamed = _renamed(contents, *held, status) | (adopted & (status == Status.IDENTICAL))
        for component, rows in rows_of.items():
            present = rows[status[rows] != Status.ABSENT]
            if len(present):
                yield Comparison(
                    contents=contents,
                    first=first,
                    second=second,
                    component=component,
                    rows=present,
                    status=status[present],
                    renamed=renamed[present],
                    adopted=bool(adopted[present].any()),
                    source=_source(contents, first, second, present, status[present]),
                    notes=(
                        *copies.notes(first, second, component),
                        *elsewhere.notes(first, second, component),
                    ),
                    raw_is_ema=copies.sides(first, second, component),
                )


def _source(
    contents: Contents,
    first: int,
    second: int,
    rows: npt.NDArray[np.int64],
    status: npt.NDArray[np.int8],
) -> str | None:
    """Return the first model of which both sides hold every tensor, as it is or rounded."""
    a, b = contents.index[rows, first], contents.index[rows, second]
    apart = status == Status.DIFFERENT
    if not apart.any() or not compared(status).all():
        return None
    if not (contents.is_rounding[a] & contents.is_rounding[b])[apart].all():
        return None
    at = int(np.flatnonzero(apart)[0])
    held = contents.index[rows[at]]
    likely = contents.gives(held, a[at]) & contents.gives(held, b[at])
    for model in np.flatnonzero(likely).tolist():
        source = contents.index[rows, model]
        if (contents.gives(source, a) & contents.gives(source, b)).all():
            return contents.models[model]
    return None


def _row(found: Comparison) -> dict[str, object]:
    verdict, what = judge(found)
    counts = {
        f"{status.label}_tensors": found.count(status)
        for status in Status
        if status is not Status.ABSENT
    }
    return counts | {
        "a": found.contents.models[found.first],
        "b": found.contents.models[found.second],
        "component": found.component,
        "verdict": verdict,
        "tensors": len(found.status),
        "renamed_tensors": int(found.renamed.sum()),
        "raw_is_ema": found.raw_is_ema,
        "what": what,
    }


class _Copies:
    """Tells where one model's raw weights are another's training copy."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        names = contents.tensors["name"]
        row = {name: at for at, name in enumerate(names)}
        inner = {name.partition("/")[2]: at for name, at in row.items() if name.startswith(EMA)}
        raw = [
            (at, inner[name.partition("/")[2]])
            for name, at in row.items()
            if not name.startswith(EMA) and name.partition("/")[2] in inner
        ]
        self.raw, self.copied = np.array(raw, dtype=np.int64).reshape(-1, 2).T
        self.component = contents.tensors["component"].to_numpy()[self.raw]
        self.digest = pd.factorize(contents.contents["digest"])[0]

    def notes(self, first: int, second: int, component: str) -> Iterator[str]:
        """Yield a sentence for each of the two models whose raw weights are the other's copy."""
        for one, other in self._copied(first, second, component):
            raw, copy = (self.contents.models[side] for side in (one, other))
            yield EMA_OF.format(raw=raw, copy=copy)

    def sides(self, first: int, second: int, component: str) -> str:
        """Return the sides, a and b, whose raw weights are the other's copy."""
        found = self._copied(first, second, component)
        return "".join("a" if one == first else "b" for one, _ in found)

    def _copied(self, first: int, second: int, component: str) -> Iterator[tuple[int, int]]:
        """Yield each of the two models whose raw weights are the other's copy, and the other."""
        here = self.component == component
        if here.any():
            for one, other in ((first, second), (second, first)):
                raw = self.contents.index[self.raw[here], one]
                copy = self.contents.index[self.copied[here], other]
                whole = (raw >= 0).all() and (copy >= 0).all()
                if whole and (self.digest[raw] == self.digest[copy]).all():
                    yield one, other


def _renamed(
    contents: Contents,
    first: npt.NDArray[np.int32],
    second: npt.NDArray[np.int32],
    status: npt.NDArray[np.int8],
) -> npt.NDArray[np.bool_]:
    """
    Tell of each name of one side alone whether the other side holds its content elsewhere.

    The other side's name must be its alone too, and serves once: of three equal tensors that
    lost their names, two are found in a model that has two.
    """
    found = np.zeros(len(status), dtype=bool)
    only_a, only_b = (
        np.flatnonzero(status == Status.ONLY_A),
        np.flatnonzero(status == Status.ONLY_B),
    )
    if len(only_a) and len(only_b):
        left = _numbered_digests(contents, first[only_a])
        right = _numbered_digests(contents, second[only_b])
        found[only_a] = left.isin(right)
        found[only_b] = right.isin(left)
    return found


def _numbered_digests(contents: Contents, held: npt.NDArray[np.int32]) -> pd.Series:
    """Return digests, each with how often it came before, so that equal ones match one to one."""
    digests = contents.contents["digest"].iloc[held].reset_index(drop=True)
    return digests + digests.groupby(digests).cumcount().map(" {}".format)
