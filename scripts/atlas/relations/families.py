"""Families of models that share a component bit for bit, and who is next to which family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import pandas as pd

from atlas.relations.classes import Classes
from atlas.relations.verdicts import FEW


@dataclass(frozen=True)
class Standing:
    """Where a model stands in one component."""

    family: str | None
    """Letter of the family it is in or next to; None where it is like no other."""
    share: float
    """Of the tensors: 1 in the family itself, else how many are its own or its own rounded."""
    is_rounded: bool
    """All its weights are the family's, some of them rounded to another dtype."""
    variant: int = 0
    """Tells apart those next to one family that are not the same: 1, 2, ...; 0 where one is."""

    @property
    def is_member(self) -> bool:
        """Whether the model has the family's weights bit for bit."""
        return self.share == 1 and not self.is_rounded


def families(rows: pd.DataFrame) -> list[list[str]]:
    """
    Return the sets of models that share one component bit for bit, the largest first.

    Parameters
    ----------
    rows
        The identity table's rows of one component.
    """
    graph = nx.Graph()
    graph.add_edges_from(
        rows.loc[rows["verdict"] == "identical", ["a", "b"]].itertuples(index=False)
    )
    return sorted(
        (sorted(part) for part in nx.connected_components(graph)), key=lambda x: (-len(x), x)
    )


def holders(rows: pd.DataFrame) -> set[str]:
    """Return the models that have the component, and of which it was read."""
    refused = rows[rows["verdict"] == "refused"]
    rows = rows[rows["verdict"] != "refused"]
    only_a, only_b = rows["verdict"] == "only in a", rows["verdict"] == "only in b"
    found = {*rows.loc[~only_b, "a"], *rows.loc[~only_a, "b"]}
    for side in "ab" if len(refused) else "":
        found |= {*refused.loc[refused[f"only_{side}_tensors"] > 0, side]}
    return found


def standings(
    rows: pd.DataFrame, models: Sequence[str], of_note: Collection[str] = ()
) -> dict[str, Standing]:
    """
    Return the place of every model that has the component.

    A family of one's own is next to a larger or earlier one with which it has most tensors in
    common, if these are not few; letters go to the others in order of size.

    Parameters
    ----------
    rows
        The identity table's rows of one component.
    models
        The group's models in order; where families are of a size, the earlier comes first.
    of_note
        Models whose families get a letter even if they are like no other.
    """
    order = {model: place for place, model in enumerate(models)}
    shared = families(rows)
    alone = holders(rows) - {model for family in shared for model in family}
    ranked = sorted(
        [sorted(family, key=order.__getitem__) for family in [*shared, *([one] for one in alone)]],
        key=lambda family: (-len(family), order[family[0]]),
    )
    likeness = _likeness(rows)
    leaders: list[str] = []
    next_to: dict[str, tuple[str, float, bool]] = {}
    for family in ranked:
        first = family[0]
        found = [
            (*likeness[pair], leader)
            for leader in leaders
            if (pair := _pair(first, leader)) in likeness
        ]
        share, is_rounded, leader = max(found, key=lambda each: each[0], default=(0.0, False, ""))
        if share >= FEW:
            next_to[first] = (leader, share, is_rounded)
        else:
            leaders.append(first)
    known = {leader for leader, _, _ in next_to.values()}
    asked = set(of_note)
    known |= {family[0] for family in ranked if len(family) > 1 or asked & {*family}}
    named = [leader for leader in leaders if leader in known]
    letters = {leader: letter_of(number) for number, leader in enumerate(named)}
    variants = _variants(next_to)
    found_standings: dict[str, Standing] = {}
    for family in ranked:
        leader, share, is_rounded = next_to.get(family[0], (family[0], 1.0, False))
        variant = variants.get(family[0], 0)
        place = Standing(letters.get(leader), share, is_rounded, variant)
        found_standings |= dict.fromkeys(family, place)
    return found_standings


def _variants(next_to: Mapping[str, tuple[str, float, bool]]) -> dict[str, int]:
    """Number the families next to the same one, the rounded and the changed apart."""
    beside: dict[tuple[str, bool], list[str]] = {}
    for first, (leader, _, is_rounded) in next_to.items():
        beside.setdefault((leader, is_rounded), []).append(first)
    return {
        first: number
        for firsts in beside.values()
        if len(firsts) > 1
        for number, first in enumerate(firsts, start=1)
    }


def averages(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """
    Return where training copies are other models' raw weights.

    Parameters
    ----------
    frame
        The identity table of a group.

    Returns
    -------
    dict
        Model that holds the copy to the component and the model whose raw weights it is: the first
        of the table.
    """
    found: dict[str, tuple[str, str]] = {}
    told = frame[frame["raw_is_ema"] != ""]
    columns = (told[name].tolist() for name in ("a", "b", "component", "raw_is_ema"))
    for a, b, component, sides in zip(*columns, strict=True):
        for side in sides:
            raw, copy = (a, b) if side == "a" else (b, a)
            found.setdefault(copy, (component, raw))
    return found


def classes(frame: pd.DataFrame, models: Sequence[str]) -> list[Classes]:
    """
    Sort models by each component that some of them share, bit for bit or rounded.

    Parameters
    ----------
    frame
        The identity table of a group.
    models
        The group's models in the roster's order.

    Returns
    -------
    list
        Letters are those of the identity picture. A component that all models share, or none, is
        not there.
    """
    found = []
    for component, rows in frame.groupby("component", sort=True):
        places = standings(rows, models)
        letters = {
            model: place.family
            for model, place in places.items()
            if place.family is not None and (place.is_member or place.is_rounded)
        }
        counts = Counter(letters.values())
        shared = {model: letter for model, letter in letters.items() if counts[letter] > 1}
        if shared and max(counts.values()) < len(models):
            found.append(Classes(str(component), shared))
    return found


def letter_of(number: int) -> str:
    """
    Return a family's letter.

    >>> [letter_of(number) for number in (0, 25, 26, 27)]
    ['A', 'Z', 'AA', 'AB']
    """
    before, last = divmod(number, 26)
    return (letter_of(before - 1) if before else "") + chr(ord("A") + last)


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _likeness(rows: pd.DataFrame) -> dict[tuple[str, str], tuple[float, bool]]:
    """Return, by pair, the share of tensors that are the same or rounded, and if all are."""
    same = (rows["identical_tensors"] + rows["cast_tensors"]) / rows["tensors"]
    return {
        _pair(a, b): (share, verdict == "cast")
        for a, b, share, verdict in zip(rows["a"], rows["b"], same, rows["verdict"], strict=True)
    }
