"""Say of every pair of models which components are the same, and of the others what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.names.components import EMA
from atlas.relations.contents import Contents, Status
from atlas.relations.elsewhere import Elsewhere
from atlas.relations.verdicts import Comparison, judge

COLUMNS = [
    "a", "b", "component", "verdict", "identical_tensors", "tensors", "what",
    "cast_tensors", "different_tensors", "shape_tensors", "only_a_tensors", "only_b_tensors",
    "nonfinite_tensors", "refused_tensors", "renamed_tensors",
]  # fmt: skip


def table(contents: Contents, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the identity table: a row per pair and component, sorted by both ids."""
    labels = labels or {}
    rows = [_row(comparison, labels) for comparison in comparisons(contents, labels)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["a", "b", "component"], ignore_index=True)


def comparisons(contents: Contents, labels: Mapping[str, str]) -> Iterator[Comparison]:
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
                    notes=(
                        *copies.notes(first, second, component, labels),
                        *elsewhere.notes(first, second, component, labels),
                    ),
                )


def _row(found: Comparison, labels: Mapping[str, str]) -> dict[str, object]:
    verdict, what = judge(found, labels)
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

    def notes(
        self, first: int, second: int, component: str, labels: Mapping[str, str]
    ) -> Iterator[str]:
        """Yield a sentence for each of the two models whose raw weights are the other's copy."""
        here = self.component == component
        if here.any():
            for one, other in ((first, second), (second, first)):
                raw = self.contents.index[self.raw[here], one]
                copy = self.contents.index[self.copied[here], other]
                whole = (raw >= 0).all() and (copy >= 0).all()
                if whole and (self.digest[raw] == self.digest[copy]).all():
                    a, b = (self.contents.models[side] for side in (one, other))
                    yield f"raw weights of {labels.get(a, a)} are the EMA of {labels.get(b, b)}"


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
