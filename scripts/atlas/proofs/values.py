"""Elements of a target and its parents, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.decoding import decode
from atlas.proofs.arithmetic import CLOSE, Arithmetic, Weights
from atlas.proofs.rounding import Values, cast, stored
from atlas.tensors.tensors import ITEM_BYTES


@dataclass(frozen=True)
class Making:
    """One way to make a part again: arithmetic, order of the parents, weights, what was rounded."""

    arithmetic: Arithmetic
    order: tuple[int, ...]
    """Places of the parents in the recipe."""
    weights: Weights
    """In the order of the recipe."""
    casts: tuple[str, ...]
    """What each parent is rounded to first, in the order of the recipe; empty for as it is."""


@dataclass(frozen=True)
class Tally:
    """Elements in which the parents differ, and of them those that were made bit for bit."""

    elements: int = 0
    equal: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.elements + other.elements, self.equal + other.equal)

    @property
    def share(self) -> float | None:
        """Equal elements of all; None of none."""
        return self.equal / self.elements if self.elements else None


@dataclass
class Chunk:
    """
    Elements of a tensor, or of several of the same dtypes.

    `raw` are the stored bytes, uint8, of the target and of each parent; `dtypes` belong to them.
    """

    dtypes: tuple[str, ...]
    raw: Sequence[NDArray[np.uint8]]
    _cast: dict[tuple[int, str], Values] = field(default_factory=dict)

    @cached_property
    def target(self) -> NDArray[Any]:
        """The target's bits."""
        return self.raw[0].view(f"<u{ITEM_BYTES[self.dtypes[0]]}")

    @cached_property
    def target_values(self) -> Values:
        """The target's numbers."""
        return decode(self.raw[0], self.dtypes[0])

    def parent(self, place: int, rounded: str) -> Values:
        """Return a parent's elements: float32, or float64 where they are kept so."""
        if (place, rounded) not in self._cast:
            if rounded:
                found = cast(self.parent(place, ""), rounded)
            else:
                found = decode(self.raw[place + 1], self.dtypes[place + 1])
            self._cast[place, rounded] = found
        return self._cast[place, rounded]

    def tally(self, making: Making, weights: Weights | None = None) -> Tally:
        """
        Make the elements again and count those that are equal bit for bit.

        Only where the parents differ that the weights mix: of a + m (b − c) these are b and c.

        Parameters
        ----------
        weights
            In place of the making's own.
        """
        weights = making.weights if weights is None else weights
        parents = [self.parent(place, making.casts[place]) for place in range(len(weights))]
        differ = _differ([parents[place] for place in _mixed(weights)])
        elements = int(np.count_nonzero(differ))
        if not elements:
            return Tally()
        made = making.arithmetic.values(
            [parents[place] for place in making.order],
            tuple(weights[place] for place in making.order),
            self.dtypes[0],
        )
        equal = stored(made, self.dtypes[0]) == self.target
        return Tally(elements, int(np.count_nonzero(equal & differ)))

    def where_parents_differ(self) -> "Chunk":
        """Return the elements in which not all parents are the same."""
        differ = _differ([self.parent(place, "") for place in range(len(self.raw) - 1)])
        return self._taken(differ)

    def every(self, step: int) -> "Chunk":
        """Return each so-manieth element."""
        return self._taken(slice(None, None, step))

    def turned(self, place: int) -> "Chunk":
        """Return the same elements with the target and a parent exchanged."""
        order = list(range(len(self.raw)))
        order[0], order[place + 1] = order[place + 1], order[0]
        return Chunk(tuple(self.dtypes[each] for each in order), [self.raw[each] for each in order])

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.raw[0].size // ITEM_BYTES[self.dtypes[0]]

    def _taken(self, which: Any) -> "Chunk":
        taken = [
            np.ascontiguousarray(raw.reshape(-1, ITEM_BYTES[dtype])[which]).reshape(-1)
            for raw, dtype in zip(self.raw, self.dtypes, strict=True)
        ]
        return Chunk(self.dtypes, taken)


def _mixed(weights: Weights) -> list[int]:
    """Return the parents whose differences decide: not one that a difference is added to."""
    others = [place for place, weight in enumerate(weights) if weight != 1]
    cancel = abs(sum(weights[place] for place in others)) < CLOSE
    if len(weights) > 2 and len(others) == len(weights) - 1 and cancel:
        return others
    return list(range(len(weights)))


def _differ(parents: Sequence[Values]) -> NDArray[np.bool_]:
    first, *others = parents
    differ = np.zeros(first.shape, bool)
    for other in others:
        differ |= first != other
    return differ
