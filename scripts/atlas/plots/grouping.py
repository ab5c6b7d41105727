"""The rows of an identity picture: families together, and what is alike in one, of many models."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil

from atlas.relations.classes import Classes
from atlas.relations.families import Standing

MANY = 16
"""Of more models the rows are grouped; of fewer they keep the roster's order."""
TALLEST = 70
"""Rows of a block; of more, blocks stand side by side, as many as have room."""
SPACE = 0.4
"""Of a row, between two families."""

Places = Mapping[str, Mapping[str, Standing]]
"""Component to model to its standing."""


@dataclass(frozen=True)
class Grouping:
    """The models in the order of rows."""

    models: tuple[str, ...]
    by: str
    """The component whose families stand apart; empty where the order is the roster's."""
    starts: frozenset[str]
    """Models that begin a family."""

    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A row's model to all that share the row; a model that has its row alone is not there."""

    def folded(self, alike: Callable[[str], Hashable], first: str | None = None) -> "Grouping":
        """
        Return the rows with those that look alike in one, in the name of the first of them.

        Parameters
        ----------
        alike
            What a model's row shows.
        first
            A model that stands for others rather than another for it.
        """
        models, starts, members = [], set(), {}
        for _, run in groupby(self.models, key=alike):
            together = tuple(run)
            name = first if first in together else together[0]
            models.append(name)
            if not self.starts.isdisjoint(together):
                starts.add(name)
            if len(together) > 1:
                members[name] = together
        return Grouping(tuple(models), self.by, frozenset(starts), members)

    def blocks(self, most: int) -> list[tuple[str, ...]]:
        """Return the models of each block, of which so many at most stand side by side."""
        size = ceil(len(self.models) / min(most, ceil(len(self.models) / TALLEST)))
        return [self.models[start : start + size] for start in range(0, len(self.models), size)]

    def rows(self, block: Sequence[str]) -> Iterator[tuple[str, float]]:
        """Yield each model of a block and where its row begins, in rows from the block's top."""
        row = 0.0
        for place, model in enumerate(block):
            row += SPACE if place and model in self.starts else 0.0
            yield model, row
            row += 1.0

    def height(self, block: Sequence[str]) -> float:
        """Return the height of a block, in rows."""
        return max(row for _, row in self.rows(block)) + 1.0


def grouped(places: Places, models: Sequence[str]) -> Grouping:
    """
    Return the rows of an identity picture.

    Of many models those of a family stand together: first by the component whose families tell
    most, within them by the next, and so on. Otherwise the roster's order holds.
    """
    told = {
        component: Classes(component, {m: p.family for m, p in held.items() if p.family})
        for component, held in places.items()
    }
    told_of = {component: each.information(len(models)) for component, each in told.items()}
    ranked = sorted(told, key=lambda component: -told_of[component])
    if len(models) <= MANY or not ranked or not told_of[ranked[0]]:
        return Grouping(tuple(models), "", frozenset())
    order = sorted(
        models, key=lambda model: [_rank(places[component].get(model)) for component in ranked]
    )
    first = [_rank(places[ranked[0]].get(model))[:3] for model in order]
    starts = {order[place] for place in range(1, len(order)) if first[place] != first[place - 1]}
    return Grouping(tuple(order), ranked[0], frozenset(starts))


def _rank(place: Standing | None) -> tuple[int, int, str, int, float, int]:
    """Return what sorts a row: its family, in the order of letters, then how near it is to it."""
    if place is None:
        return 2, 0, "", 0, 0.0, 0
    if place.family is None:
        return 1, 0, "", 0, 0.0, 0
    kind = 0 if place.is_member else 1 if place.is_rounded else 2
    return 0, len(place.family), place.family, kind, -place.share, place.variant
