"""Search a library for what is nearest to a component, by sketches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from atlas.library.entries import Block, Entry, Part
from atlas.library.identities import AS_IS, forms_between
from atlas.library.intervals import Estimate, estimate, rounding

LEAST_COMMON = 0.5
"""Share of the elements of both components that their common blocks have to hold."""

TINY = 1e-12
"""Of the longest direction's square: what is shorter is a model that is spanned already."""

Key = tuple[str, str]
"""A block and the layout of what was sketched of it."""


@dataclass(frozen=True)
class Match:
    """One model of the library beside the component that was asked for."""

    model: str
    alike: tuple[str, ...]
    """Other models of the library that hold the same weights as this one."""
    component: str
    l2: Estimate
    """Over the blocks compared."""
    relative: Estimate | None
    """The same over the geometric mean of both norms; None where one is 0."""
    elements: int
    """That were compared."""
    share: float
    """Of the component's parameters."""
    same_blocks: int
    """Blocks whose weights are the same bit for bit."""
    blocks: int
    """That were compared."""


@dataclass(frozen=True)
class _Shelf:
    """All sketches of one block and layout."""

    owners: NDArray[np.int64]
    """int64 (models,): places of the models that have one."""
    sums: NDArray[np.float32]
    """float32 (models, SUMS)."""
    squares: NDArray[np.float64]
    """float64 (models,)."""
    blocks: tuple[Block, ...]


class Index:
    """A library's sketches, laid side by side by component, block and layout."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        held: dict[tuple[str, Key], list[tuple[int, Block]]] = defaultdict(list)
        self._sizes: dict[str, NDArray[np.int64]] = {}
        for place, entry in enumerate(self.entries):
            for part in entry.parts:
                for block in part.blocks:
                    held[part.component, (block.block, block.layout)].append((place, block))
                sizes = self._sizes.setdefault(
                    part.component, np.zeros(len(self.entries), np.int64)
                )
                sizes[place] = sum(block.elements for block in part.blocks)
        self._shelves = {
            key: _Shelf(
                owners=np.array([place for place, _ in some]),
                sums=np.stack([block.sums for _, block in some]),
                squares=np.array([block.squares for _, block in some]),
                blocks=tuple(block for _, block in some),
            )
            for key, some in held.items()
        }

    def kin(self, component: str, layouts: Iterable[tuple[str, str, int]]) -> list[int]:
        """
        Return the places of the models that can be compared, as headers alone tell.

        Parameters
        ----------
        layouts
            Block, layout and elements of each block of the component.
        """
        known = list(layouts)
        shared = np.zeros(len(self.entries), np.int64)
        for block, layout, elements in known:
            shelf = self._shelves.get((component, (block, layout)))
            if shelf is not None:
                shared[shelf.owners] += elements
        sizes = self._sizes.get(component, np.zeros(len(self.entries), np.int64))
        most = np.maximum(sizes, sum(elements for *_, elements in known))
        return [
            int(place) for place in np.flatnonzero((shared > 0) & (shared >= LEAST_COMMON * most))
        ]

    def same_block(self, component: str, block: str, digest: bytes | None) -> Block | None:
        """Return a block of the library that holds these very weights, None where there is none."""
        if digest is None:
            return None
        return self._by_digest.get((component, block, digest))

    @cached_property
    def _by_digest(self) -> dict[tuple[str, str, bytes], Block]:
        return {
            (component, block, each.digests[0]): each
            for (component, (block, _)), shelf in self._shelves.items()
            for each in shelf.blocks
            if each.digests[0] is not None
        }

    def search(
        self, part: Part, count: int | None = None, *, among: Sequence[int] | None = None
    ) -> list[Match]:
        """
        Return the nearest models to a component, nearest first; of equal ones by id.

        Models that hold the same weights are one, and the first of them stands for all.
        Only those whose common blocks hold at least LEAST_COMMON of the elements of either, as far
        as blocks of the component are known; `share` says of how much the distance is.

        Parameters
        ----------
        count
            How many at most; None for all.
        among
            Places of models to look among; None for all.
        """
        size = len(self.entries)
        squares = np.zeros((size, len(part.blocks)))
        noise = np.zeros_like(squares)
        own, other = np.zeros(size), np.zeros(size)
        elements = np.zeros(size, np.int64)
        same = np.zeros(size, np.int64)
        compared = np.zeros(squares.shape, bool)
        for column, block in enumerate(part.blocks):
            shelf = self._shelves.get((part.component, (block.block, block.layout)))
            if shelf is None:
                continue
            difference = shelf.sums.astype(np.float64) - block.sums.astype(np.float64)
            squares[shelf.owners, column] = np.einsum("ij,ij->i", difference, difference)
            noise[shelf.owners, column] = rounding(shelf.sums) + rounding(block.sums)
            compared[shelf.owners, column] = True
            own[shelf.owners] += block.squares
            other[shelf.owners] += shelf.squares
            elements[shelf.owners] += block.elements
            same[shelf.owners] += [
                block.digests[0] is not None and each.digests[0] == block.digests[0]
                for each in shelf.blocks
            ]
        known = sum(block.elements for block in part.blocks)
        chosen = np.flatnonzero((elements > 0) & (elements >= LEAST_COMMON * known))
        if among is not None:
            chosen = chosen[np.isin(chosen, among)]
        norms = np.sqrt(np.sqrt(own) * np.sqrt(other))
        with np.errstate(divide="ignore", invalid="ignore"):
            roughly = np.sqrt(squares.sum(axis=1)) / norms
        order = sorted(
            (int(place) for place in chosen),
            key=lambda place: (np.nan_to_num(roughly[place]), self.entries[place].model),
        )
        first: dict[bytes, int] = {}
        alike: dict[int, list[str]] = {}
        for place in order:
            digest = self._digest(place, part.component)
            standing = first.setdefault(digest, place) if digest else place
            alike.setdefault(standing, []).append(self.entries[place].model)
        found = []
        for place in list(alike)[:count]:
            columns = compared[place]
            l2 = estimate(squares[place, columns], noise[place, columns])
            norm = float(norms[place])
            found.append(
                Match(
                    model=self.entries[place].model,
                    alike=tuple(alike[place][1:]),
                    component=part.component,
                    l2=l2,
                    relative=l2.over(norm) if norm > 0 else None,
                    elements=int(elements[place]),
                    share=float(elements[place]) / max(part.parameters, 1),
                    same_blocks=int(same[place]),
                    blocks=int(columns.sum()),
                )
            )
        return found

    def partners(self, part: Part, *, rounds: int, each: int) -> list[str]:
        """
        Return models that may be further parents: what explains most of what the nearest leaves.

        A parent of a small weight is far from its child, and many others are nearer. Sketches are
        linear, so that an orthogonal matching pursuit finds it: of the directions from the nearest
        model, in turn, the one along which most of the remainder lies.

        Parameters
        ----------
        rounds
            Models that are taken in turn.
        each
            Best ones of a round that are told.
        """
        places, sketches, own = self._sketches(part)
        if len(places) < 2:
            return []
        nearest = int(np.argmin(np.square(sketches - own).sum(axis=1)))
        directions = sketches - sketches[nearest]
        left = own - sketches[nearest]
        least = TINY * np.square(directions).sum(axis=1).max()
        found: list[int] = []
        for _ in range(rounds):
            lengths = np.square(directions).sum(axis=1)
            along = directions @ left
            gains = np.divide(along**2, lengths, out=np.zeros_like(along), where=lengths > least)
            order = np.argsort(-gains, kind="stable")[:each]
            if not gains[order[0]] > 0:
                break
            found += [int(at) for at in order if gains[at] > 0]
            step = directions[order[0]] / np.sqrt(lengths[order[0]])
            left = left - (left @ step) * step
            directions = directions - np.outer(directions @ step, step)
        return [self.entries[int(places[at])].model for at in dict.fromkeys(found)]

    def _sketches(
        self, part: Part
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """
        Return the models that have all of a component's blocks that any has, with their sketches.

        Returns
        -------
        places, sketches, own
            int64 (models,), float64 (models, sums) and (sums,) of the component.
        """
        known = [
            (block, shelf)
            for block in part.blocks
            if (shelf := self._shelves.get((part.component, (block.block, block.layout))))
        ]
        if not known:
            return np.zeros(0, np.int64), np.zeros((0, 0)), np.zeros(0)
        places = known[0][1].owners
        for _, shelf in known[1:]:
            places = np.intersect1d(places, shelf.owners)
        rows = [shelf.sums[np.isin(shelf.owners, places)] for _, shelf in known]
        own = np.concatenate([block.sums for block, _ in known]).astype(np.float64)
        return places, np.concatenate(rows, axis=1).astype(np.float64), own

    def _digest(self, place: int, component: str) -> bytes | None:
        part = self.entries[place].part(component)
        return part.digests[0] if part else None


@dataclass(frozen=True)
class Same:
    """A component of the library that holds the same weights."""

    model: str
    component: str
    relation: str
    """One of RELATIONS."""
    dtype: str
    """What was rounded to; "" of a copy."""
    is_renamed: bool
    """Whether only the contents are the same, under other names."""


COPY, CAST_OF, SOURCE_OF = "copy of", "cast of", "source of"
RELATIONS = (COPY, CAST_OF, SOURCE_OF)
"""The same bit for bit; rounded from the library's; what the library's was rounded from."""


def same_as(part: Part, entries: Iterable[Entry]) -> list[Same]:
    """Return the components of a library that hold the same weights by digest, copies first."""
    found = []
    for entry in entries:
        for other in entry.parts:
            for is_renamed, own, theirs in (
                (False, part.digests, other.digests),
                (True, part.contents, other.contents),
            ):
                forms = forms_between(own, theirs)
                if not forms or (not is_renamed and other.component != part.component):
                    continue
                mine, its = forms[0]
                relation = COPY if mine == its else CAST_OF if its != AS_IS else SOURCE_OF
                dtype = "" if relation == COPY else its if relation == CAST_OF else mine
                found.append(Same(entry.model, other.component, relation, dtype, is_renamed))
                break
    return sorted(
        found,
        key=lambda each: (
            RELATIONS.index(each.relation),
            each.component != part.component,
            each.is_renamed,
            each.model,
            each.component,
        ),
    )
