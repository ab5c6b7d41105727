"""Verdicts on the components of pairs of models, each taken once for all pairs that are alike."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from atlas.relations.contents import Contents, Status, compared
from atlas.relations.verdicts import Comparison, Division, divisions_of, judge

NAMES = ("\0a", "\0b")
"""What stands for the ids of two models in words that serve many pairs."""
STATUSES = [status for status in Status if status is not Status.ABSENT]
COUNTS = [f"{status.label}_tensors" for status in STATUSES] + ["tensors", "renamed_tensors"]
MOST_KEPT = 1 << 17
"""So many judgements wait for a pair that is alike."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """What verdicts on one component rest on, beside statuses."""

    component: str
    rows: npt.NDArray[np.int64]
    divisions: list[Division]
    kinds: list[tuple[str, str]]
    """Per model, the component's commonest dtype and why it was not read."""
    has_rounding: list[bool]
    """Per model, whether any content is what another one gives once rounded."""


class Judgements:
    """
    Gives the verdict on a component of two models.

    It depends on the statuses of the tensors and on little else, and in a group many pairs are
    alike in all of that: each such kind of pair is judged once, with signs for the models' ids.
    """

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.parts = _parts(contents)
        self.verdicts: list[str] = []
        self._counts = array("q")
        self._kept: dict[tuple[object, ...], tuple[int, str]] = {}
        self._absent = [
            bytes(Status.ABSENT.to_bytes(1, signed=True)) * len(part.rows) for part in self.parts
        ]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """What COUNTS are of each judgement, shape (judgements, counts)."""
        return np.array(self._counts, dtype=np.int64).reshape(-1, len(COUNTS))

    def packed(self, status: npt.NDArray[np.int8]) -> list[tuple[bytes, ...]]:
        """Return, by model, the statuses of each part; shape (names, models) before."""
        columns = []
        for part in self.parts:
            size, whole = len(part.rows), status[part.rows].T.tobytes()
            columns.append([whole[at : at + size] for at in range(0, len(whole), size)])
        return list(zip(*columns, strict=True))

    def of(
        self,
        part: int,
        first: int,
        second: int,
        packed: bytes,
        special: list[Mask] | None,
    ) -> tuple[int, str] | None:
        """
        Return the judgement's number and words on a part of two models; None of no tensors.

        Parameters
        ----------
        packed
            Statuses of all the part's tensors.
        special
            Which names are renamed, and which are adopted, of all names; None of no such.
        """
        if packed == self._absent[part]:
            return None
        own = self.parts[part]
        source = None
        if own.has_rounding[first] and own.has_rounding[second]:
            source = _source(self.contents, first, second, own.rows, packed)
        signs = None if special is None else b"".join(each[own.rows].tobytes() for each in special)
        key = (part, packed, own.kinds[first], own.kinds[second], source, signs)
        if key not in self._kept:
            if len(self._kept) == MOST_KEPT:
                self._kept.clear()
            self._kept[key] = self.judged(own, first, second, packed, source, special)
        return self._kept[key]

    def judged(
        self,
        part: Part,
        first: int,
        second: int,
        packed: bytes,
        source: str | None,
        special: list[Mask] | None,
    ) -> tuple[int, str]:
        """Judge a part of two models by itself; arguments and result as of `of`."""
        status = np.frombuffer(packed, np.int8)
        present = status != Status.ABSENT
        nothing = np.zeros(len(status), dtype=bool)
        renamed, adopted = (
            (nothing, nothing) if special is None else (each[part.rows] for each in special)
        )
        kinds = part.kinds[first], part.kinds[second]
        found = Comparison(
            names=NAMES,
            component=part.component,
            divisions=[division.of(present) for division in part.divisions],
            status=status[present],
            renamed=renamed[present],
            adopted=bool(adopted[present].any()),
            source=source,
            dtypes=(kinds[0][0], kinds[1][0]),
            unread=(kinds[0][1], kinds[1][1]),
        )
        verdict, what = judge(found)
        self.verdicts.append(verdict)
        self._counts.extend(found.counts[: len(STATUSES)].tolist())
        self._counts.extend((len(found.status), int(found.renamed.sum())))
        return len(self.verdicts) - 1, what


def _parts(contents: Contents) -> list[Part]:
    """Return what is known of each component, sorted by name."""
    component = contents.tensors["component"].to_numpy()
    # sorted, so that of two that are as common the first by name counts
    dtypes, words = pd.factorize(contents.contents["dtype"], sort=True)
    found = []
    for name in sorted(set(component)):
        rows = np.flatnonzero(component == name)
        held = contents.index[rows]
        codes = np.where(held < 0, len(words), dtypes[held])
        numbers = np.stack([(codes == code).sum(axis=0) for code in range(len(words))])
        commonest = [words[code] for code in numbers.argmax(axis=0)]
        reasons = [unread.get(name, "") for unread in contents.unread]
        rounding = (contents.is_rounding[held] & (held >= 0)).any(axis=0)
        found.append(
            Part(
                component=name,
                rows=rows,
                divisions=divisions_of(name, contents.tensors.iloc[rows]),
                kinds=list(zip(commonest, reasons, strict=True)),
                has_rounding=np.asarray(rounding).tolist(),
            )
        )
    return found


def _source(
    contents: Contents, first: int, second: int, rows: npt.NDArray[np.int64], packed: bytes
) -> str | None:
    """Return the first model of which both sides hold every tensor, as it is or rounded."""
    status = np.frombuffer(packed, np.int8)
    present = status != Status.ABSENT
    rows, status = rows[present], status[present]
    apart = status == Status.DIFFERENT
    if not apart.any() or not compared(status).all():
        return None
    a, b = contents.index[rows, first], contents.index[rows, second]
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
