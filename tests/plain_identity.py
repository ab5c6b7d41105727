"""The identity table, pair by pair and by its definition: slow, and obvious."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from atlas.relations.contents import Contents, Status
from atlas.relations.identity import EMA_OF
from atlas.relations.verdicts import Comparison, divisions_of, judge


def rows(contents: Contents) -> Iterator[dict[str, object]]:
    """Yield the rows of a group in which no component is another one of another model."""
    component = contents.tensors["component"].to_numpy()
    held_any = np.flatnonzero((contents.index >= 0).any(axis=0)).tolist()
    for first, second in combinations(held_any, 2):
        sides = contents.index[:, first], contents.index[:, second]
        status = contents.status(*sides)
        renamed = _renamed(contents, first, second, status)
        adopted = contents.adopted[:, first] != contents.adopted[:, second]
        renamed |= adopted & (status == Status.IDENTICAL)
        for name in sorted(set(component)):
            here = (component == name) & (status != Status.ABSENT)
            if here.any():
                found = Comparison(
                    names=(contents.models[first], contents.models[second]),
                    component=name,
                    divisions=divisions_of(name, contents.tensors[here]),
                    status=status[here],
                    renamed=renamed[here],
                    adopted=bool(adopted[here].any()),
                    source=_source(contents, first, second, here, status[here]),
                    dtypes=tuple(_dtype(contents, side[here]) for side in sides),
                    unread=tuple(contents.unread[at].get(name, "") for at in (first, second)),
                )
                yield _row(contents, found, first, second)


def _row(contents: Contents, found: Comparison, first: int, second: int) -> dict[str, object]:
    verdict, what = judge(found)
    sides = ""
    for side, one, other in (("a", first, second), ("b", second, first)):
        if _is_copied(contents, found.component, one, other):
            sides += side
            raw, copy = contents.models[one], contents.models[other]
            what += "; " + EMA_OF.format(raw=raw, copy=copy)
    counts = {
        f"{status.label}_tensors": int((found.status == status).sum())
        for status in Status
        if status is not Status.ABSENT
    }
    return counts | {
        "a": found.names[0],
        "b": found.names[1],
        "component": found.component,
        "verdict": verdict,
        "tensors": len(found.status),
        "renamed_tensors": int(found.renamed.sum()),
        "raw_is_ema": sides,
        "what": what,
    }


def _renamed(contents: Contents, first: int, second: int, status: np.ndarray) -> np.ndarray:
    """Match the contents of names of one side alone, one to one, in order of name."""
    digest = contents.contents["digest"].to_numpy()
    alone = [
        [(row, digest[contents.index[row, side]]) for row in np.flatnonzero(status == only)]
        for side, only in ((first, Status.ONLY_A), (second, Status.ONLY_B))
    ]
    counts = [Counter(each for _, each in names) for names in alone]
    found = np.zeros(len(status), dtype=bool)
    for names, other in zip(alone, counts[::-1], strict=True):
        left = other.copy()
        for row, each in names:
            found[row] = left[each] > 0
            left[each] -= 1
    return found


def _source(
    contents: Contents, first: int, second: int, here: np.ndarray, status: np.ndarray
) -> str | None:
    """Return the first model of which both, where all of it was compared, are roundings."""
    if not (status == Status.DIFFERENT).any() or (status > Status.DIFFERENT).any():
        return None
    sides = contents.index[here, first], contents.index[here, second]
    for model, source in zip(contents.models, contents.index[here].T, strict=True):
        if all(contents.gives(source, side).all() for side in sides):
            return model
    return None


def _is_copied(contents: Contents, component: str, one: int, other: int) -> bool:
    """Tell whether the raw weights of one model are the training copy of the other."""
    if component == "ema":
        return False
    digest = contents.contents["digest"].to_numpy()
    rows = {name: row for row, name in enumerate(contents.tensors["name"])}
    pairs = [
        (contents.index[row, one], contents.index[rows[copy], other])
        for name, row in rows.items()
        if name.partition("/")[0] == component and (copy := f"ema/{name.partition('/')[2]}") in rows
    ]
    return bool(pairs) and all(
        raw >= 0 and copy >= 0 and digest[raw] == digest[copy] for raw, copy in pairs
    )


def _dtype(contents: Contents, held: np.ndarray) -> str:
    dtypes = contents.contents["dtype"].iloc[held[held >= 0]]
    return str(dtypes.mode().iloc[0]) if len(dtypes) else ""
