"""Which models follow from others: their weights are the others', rounded, or a part of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from atlas.names.components import EMA
from atlas.relations.holdings import Codes, Flags, Holdings, Pairs

COPY, CAST, PRUNE = "copy", "cast", "prune"


@dataclass(frozen=True)
class Step:
    """How one model follows from another, by component."""

    same: tuple[str, ...] = ()
    """What the other has bit for bit."""
    rounded: tuple[tuple[str, str], ...] = ()
    """What is the other's rounded, each with the dtype that it is rounded to."""
    averaged: tuple[str, ...] = ()
    """What is the other's training copy (EMA) bit for bit, as raw weights."""
    beside: tuple[str, ...] = ()
    """What the other has besides."""
    unread: tuple[str, ...] = ()
    """What of that was not read."""

    @property
    def relation(self) -> str:
        """`copy`, `cast` or `prune`."""
        if self.beside or self.averaged:
            return PRUNE
        return CAST if self.rounded else COPY


class Derivations:
    """
    Tells of any two models of a group whether one follows from the other, and how.

    A model follows where each of its components is the other's bit for bit, or the other's
    rounded, or the other's training copy as raw weights. A model with a component that was not
    read follows from none, and none from a model with a component that is broken.
    """

    def __init__(self, pairs: Pairs, holdings: Holdings) -> None:
        self.models, self.components = pairs.models, pairs.components
        self._pairs, self._holdings = pairs, holdings

    @cached_property
    def direct(self) -> Flags:
        """Shape (models, models): whether the row's model follows from the column's."""
        pairs, size = self._pairs, len(self.models)
        found = np.zeros((size, size), dtype=bool)
        ends = (pairs.a, pairs.b), (pairs.b, pairs.a)
        for (copy, source), (same, rounded, averaged, beside) in zip(
            ends, self._sides, strict=True
        ):
            given = same | rounded | averaged
            place = copy * size + source
            lacking = np.bincount(place[~(given | beside)], minlength=size * size)
            giving = np.bincount(place[given], minlength=size * size)
            found |= ((giving > 0) & (lacking == 0)).reshape(size, size)
        holdings = self._holdings
        found[holdings.is_broken | holdings.is_refused] = False
        found[:, holdings.is_broken] = False
        return found

    @cached_property
    def closed(self) -> Flags:
        """The same, with what follows through others."""
        found = self.direct.copy()
        while True:
            # In float32, which counts to 2^24 exactly: products of bool matrices are slow.
            numbers = found.astype(np.float32)
            wider = found | (numbers @ numbers > 0)
            np.fill_diagonal(wider, False)
            if (wider == found).all():
                return wider
            found = wider

    def chain(self, copy: int, source: int) -> list[int]:
        """
        Return the shortest way from a model to one that it follows from, both included.

        Of several that are as short, it is the one through models that the roster has first.
        """
        before = {copy: copy}
        waiting = deque([copy])
        while waiting:
            here = waiting.popleft()
            if here == source:
                way = [source]
                while way[-1] != copy:
                    way.append(before[way[-1]])
                return way[::-1]
            for there in np.flatnonzero(self.direct[here]).tolist():
                if there not in before:
                    before[there] = here
                    waiting.append(there)
        raise ValueError(f"{self.models[copy]} does not follow from {self.models[source]}")

    def step(self, copy: int, source: int) -> Step:
        """Return how a model follows from another directly."""
        rows = self._rows(min(copy, source), max(copy, source))
        pairs, holdings = self._pairs, self._holdings
        a_is_copy = pairs.a[rows] == copy
        same, rounded, averaged, beside = (
            np.where(a_is_copy, one[rows], other[rows])
            for one, other in zip(self._sides[0], self._sides[1], strict=True)
        )
        component = pairs.component[rows]
        is_ema = np.array([self.components[each] == EMA for each in component], dtype=bool)
        # The training copy is used up, and the raw weights beside it are not.
        left = (beside & ~(is_ema & averaged.any())) | (averaged & holdings.held[source, component])
        names = [self.components[each] for each in component]
        dtypes = holdings.dtype[copy, component]

        def named(of: npt.NDArray[np.bool_]) -> tuple[str, ...]:
            return tuple(name for name, wanted in zip(names, of, strict=True) if wanted)

        return Step(
            same=named(same),
            rounded=tuple(zip(named(rounded), dtypes[rounded].tolist(), strict=True)),
            averaged=named(averaged),
            beside=named(left),
            unread=named(left & holdings.unread[source, component]),
        )

    @cached_property
    def _sides(self) -> tuple[tuple[Flags, ...], tuple[Flags, ...]]:
        """What rows say of a and of b as the one that follows."""
        return self._states(a_is_copy=True), self._states(a_is_copy=False)

    def _states(self, a_is_copy: bool) -> tuple[Flags, Flags, Flags, Flags]:
        """Return where a component is the same, rounded, the training copy, or only the other's."""
        pairs, holdings = self._pairs, self._holdings
        copy, source = (pairs.a, pairs.b) if a_is_copy else (pairs.b, pairs.a)
        same = pairs.has("identical")
        averaged = (pairs.a_is_average if a_is_copy else pairs.b_is_average) & ~same
        rounded = pairs.has("cast") & ~averaged
        rounded &= holdings.may_be_rounded(copy, source, pairs.component)
        beside = pairs.has("only in b" if a_is_copy else "only in a")
        beside |= pairs.has("refused") & ~holdings.held[copy, pairs.component]
        return same, rounded, averaged, beside

    @cached_property
    def _order(self) -> tuple[Codes, Codes]:
        """The rows in order of their pairs, and the numbers of these pairs."""
        pairs, size = self._pairs, len(self.models)
        place = np.minimum(pairs.a, pairs.b) * size + np.maximum(pairs.a, pairs.b)
        order = np.argsort(place, kind="stable")
        return order, place[order]

    def _rows(self, first: int, second: int) -> Codes:
        """Return the rows of a pair, the earlier of the roster first."""
        order, places = self._order
        place = first * len(self.models) + second
        start, end = np.searchsorted(places, [place, place + 1])
        return order[start:end]
