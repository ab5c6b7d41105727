"""As few parents as account for all parts of a child."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Slot:
    """A place for a parent: of its candidates one is to be named."""

    row: str
    """Slots of one row are of different parents: the terms of a component's sum."""
    place: int
    candidates: frozenset[str]


def cover(
    slots: Sequence[Slot], preference: Callable[[str], Any], wished: Sequence[str] = ()
) -> dict[Slot, str]:
    """
    Name a parent for each slot, as few different ones as a greedy choice finds.

    The model that fits most slots which have none yet comes first, of several the least by
    `preference`; one that is wished for comes before all others.

    >>> slots = [Slot("unet", 0, frozenset("a")), Slot("unet", 1, frozenset("bcd")),
    ...          Slot("text", 0, frozenset("abd")), Slot("text", 1, frozenset("c"))]
    >>> [*cover(slots, preference=str).values()]
    ['a', 'c', 'a', 'c']
    """
    chosen: dict[Slot, str] = {}
    waiting = sorted(slots, key=lambda slot: (slot.row, slot.place))
    forced = {slot for slot in slots if len(slot.candidates) == 1}
    wishes = set(wished)
    while waiting:
        fits: dict[str, list[Slot]] = {}
        for slot in waiting:
            taken = {parent for other, parent in chosen.items() if other.row == slot.row}
            free = slot.candidates - taken or slot.candidates
            for one in free:
                fits.setdefault(one, []).append(slot)
        parent = min(
            fits,
            key=lambda one: (
                one not in wishes,
                not any(slot in forced for slot in fits[one]),
                -len(fits[one]),
                preference(one),
                one,
            ),
        )
        rows: set[str] = set()
        for slot in fits[parent]:
            if slot.row not in rows:
                chosen[slot] = parent
                rows.add(slot.row)
        waiting = [slot for slot in waiting if slot not in chosen]
    return {slot: chosen[slot] for slot in slots}


def by_parent(named: Mapping[Slot, str]) -> dict[str, list[Slot]]:
    """Return the slots of each parent."""
    found: dict[str, list[Slot]] = {}
    for slot, parent in named.items():
        found.setdefault(parent, []).append(slot)
    return found
