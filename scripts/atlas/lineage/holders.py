"""Which models hold the same contents of a component, and which of them had it first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from atlas.names.components import EMA, OTHER
from atlas.relations.groups import ALL
from atlas.relations.matrices import Matrix

SUMS = (ALL, EMA, OTHER)
"""Components that are no parts of a family tree of their own."""
FAIR = 0.5 * np.sqrt(2.0)
"""
Relative L2 up to which two models are taken for relatives.

L2 over the geometric mean of both norms is √2 for weights that have nothing to do with one another,
and 1/√2 where their cosine is 3/4.
"""
COVERED = 0.5
"""Share of the parameters that must have been compared at least."""


@dataclass(frozen=True, eq=False)
class Holders:
    """A component's contents, each a class of the models that hold it."""

    component: str
    models: tuple[str, ...]
    """Models that have the component, in order of id."""
    number: Mapping[str, int]
    """Model to the number of its contents."""
    members: tuple[tuple[str, ...], ...]
    """Models by the number of their contents, in order of id."""
    distances: npt.NDArray[np.float64]
    """L2 between contents: shape (contents, contents), NaN where it is not known."""
    relative: npt.NDArray[np.float64]
    """The same relative to the norms; NaN where these are not known."""

    @cached_property
    def fair(self) -> npt.NDArray[np.bool_]:
        """Whether contents are nearer than unrelated ones are: shape (contents, contents)."""
        with np.errstate(invalid="ignore"):
            found = self.relative <= FAIR
        np.fill_diagonal(found, False)
        return np.asarray(found)

    @cached_property
    def norms(self) -> npt.NDArray[np.float64]:
        """
        Norm of each of the contents, NaN where it is not known: shape (contents,).

        L2 over relative L2, squared, is the product of two norms (`measures`): with three contents
        each norm follows, and of more in the least squares of logarithms.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            products = 2 * np.log(self.distances / self.relative)
        known = np.isfinite(products)
        counts = known.sum(axis=1)
        found = np.full(len(counts), np.nan)
        own = np.flatnonzero(counts >= 2)
        pairs = known[np.ix_(own, own)]
        system = pairs + np.diag(pairs.sum(axis=1))
        sums = np.where(pairs, products[np.ix_(own, own)], 0.0).sum(axis=1)
        if len(own) > 2:
            found[own] = np.exp(np.linalg.lstsq(system.astype(np.float64), sums, rcond=None)[0])
        return found


def holders(l2: Matrix, relative: Matrix | None, names: Mapping[str, str]) -> Holders:
    """
    Sort the models by what they hold of a component.

    Parameters
    ----------
    l2, relative
        The component's matrices; a published one has no relative distances, and a 0 in it
        says nothing.
    names
        Model to the one that stands for all that hold the same weights: only these are kept.
    """
    kept = sorted({names[one] for one in l2.ids if names[one] in l2.ids})
    rows = [l2.ids.index(one) for one in kept]
    identical = l2.identical[np.ix_(rows, rows)]
    held = [place for place in range(len(kept)) if identical[place, place]]
    if l2.ambiguous_zeros:
        held = [place for place in range(len(kept)) if l2.compared()[rows[place]]]
        identical = np.eye(len(kept), dtype=bool)
    number: dict[str, int] = {}
    members: list[list[str]] = []
    first: list[int] = []
    for place in held:
        same = next((at for at, own in enumerate(first) if identical[own, place]), None)
        if same is None:
            first.append(place)
            members.append([])
            same = len(members) - 1
        number[kept[place]] = same
        members[same].append(kept[place])
    ends = [rows[place] for place in first]
    values = l2.values[np.ix_(ends, ends)].copy()
    if l2.ambiguous_zeros:
        values[values == 0] = np.nan
    if l2.coverage is not None:
        with np.errstate(invalid="ignore"):
            values[~(l2.coverage[np.ix_(ends, ends)] >= COVERED)] = np.nan
    np.fill_diagonal(values, 0.0)
    shares = np.full_like(values, np.nan) if relative is None else (
        relative.values[np.ix_(ends, ends)].copy()
    )  # fmt: skip
    shares[np.isnan(values)] = np.nan
    return Holders(
        l2.component, tuple(kept[place] for place in held), number,
        tuple(map(tuple, members)), values, shares,
    )  # fmt: skip


def origin(
    own: Iterable[str],
    counts: Mapping[str, tuple[int, int, int]],
    *,
    base: str | None,
    comes_from: Mapping[str, Iterable[str]],
) -> str:
    """
    Return the model that is most likely to have had a component's contents first.

    It is none that is claimed to come from another of them, unless all are; then the group's
    base; then the one of which the fewest components were made from others, then with the fewest
    contents of its own, which most others share; then the first by id.

    Parameters
    ----------
    counts
        Model to the number of its components that were made from others, of those that no other
        holds, and of models that hold those that others do.
    comes_from
        Model to the models that it is claimed to come from.
    """
    members = set(own)
    return min(
        members,
        key=lambda one: (
            bool(members & (set(comes_from.get(one, ())) - {one})),
            one != base,
            counts[one][0],
            counts[one][1],
            -counts[one][2],
            one,
        ),
    )


def counts_of(found: Iterable[Holders]) -> dict[str, tuple[int, int]]:
    """Return, per model, how many contents are its own alone, and how many models share others."""
    alone: dict[str, int] = {}
    shared: dict[str, int] = {}
    for each in found:
        for model, number in each.number.items():
            others = len(each.members[number]) - 1
            alone[model] = alone.get(model, 0) + (others == 0)
            shared[model] = shared.get(model, 0) + others
    return {model: (alone[model], shared[model]) for model in alone}
