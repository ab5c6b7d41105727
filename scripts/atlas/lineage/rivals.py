"""
Which of several recipes that say the same is the child's.

From m = 0.6 a + 0.4 b follows a = 1.667 m − 0.667 b, and both fit as well. The one with the
stronger evidence stands; a recipe that would make a model an ancestor of itself gives way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import pandas as pd

from atlas.lineage.claimed import Claimed
from atlas.lineage.evidence import Evidence, Judgement, Strength, in_order, judged, rank
from atlas.lineage.holders import Holders
from atlas.lineage.making import Making
from atlas.recipes.verdicts import Form

PROVED = "proved"


@dataclass(frozen=True)
class Recipe:
    """A recipe of a component's contents, with what tells that it is the child's."""

    making: Making
    child: int
    """Number of the contents that it makes."""
    parents: tuple[int, ...]
    """Numbers of the contents of its parents."""
    signs: tuple[Evidence, ...]

    @property
    def judgement(self) -> Judgement:
        """What the signs come to."""
        return judged(self.signs)


@dataclass(frozen=True)
class Accepted:
    """The recipes of a component that stand, and what they make."""

    recipes: Mapping[int, Recipe]
    """By the number of the contents that are made."""
    dropped: tuple[Recipe, ...]
    graph: nx.DiGraph
    """From the contents of parents to those of children."""

    def descendants(self, number: int) -> set[int]:
        """Return what was made of some contents."""
        return set(nx.descendants(self.graph, number)) if number in self.graph else set()


def accept(
    makings: Iterable[Making],
    holders: Holders,
    same: Mapping[str, str],
    claimed: Claimed,
    proofs: pd.DataFrame | None,
    *,
    base: str | None,
) -> Accepted:
    """
    Return the recipes of one component that stand together without a circle, the strongest first.

    Parameters
    ----------
    makings
        The component's merges.
    same
        Model to the one that stands for all that hold the same weights.
    proofs
        The group's proofs (proofs.csv), if there are any.
    """
    known = []
    for making in makings:
        places = [same.get(one, one) for one in (making.target, *making.whole.parents)]
        if not all(place in holders.number for place in places):
            continue
        child, *parents = (holders.number[place] for place in places)
        if child in parents or len(set(parents)) < len(parents):
            continue
        known.append(Recipe(making, child, tuple(parents), _signs(making, same, claimed, proofs)))
    base_contents = holders.number.get(same.get(base, base)) if base is not None else None
    known.sort(key=lambda one: _order(one, base_contents))
    graph = nx.DiGraph()
    recipes: dict[int, Recipe] = {}
    dropped = []
    for recipe in known:
        if recipe.child in recipes:
            continue
        above = nx.descendants(graph, recipe.child) if recipe.child in graph else set()
        if above & set(recipe.parents) or not recipe.judgement.is_forward:
            dropped.append(recipe)
            continue
        recipes[recipe.child] = recipe
        graph.add_edges_from((parent, recipe.child) for parent in recipe.parents)
    return Accepted(recipes, tuple(dropped), graph)


def _order(recipe: Recipe, base: int | None) -> tuple[object, ...]:
    making, told = recipe.making, recipe.judgement
    weights = making.whole.weights or ()
    return (
        rank(told.strength) if told.is_decided else len(Strength),
        not making.is_recovered,
        recipe.child == base,
        # Of an add-difference's terms, none is usually taken more than once.
        max(map(abs, weights), default=1.0) > 1.0 + 1e-6,
        len(recipe.parents),
        making.target,
    )


def _signs(
    making: Making, same: Mapping[str, str], claimed: Claimed, proofs: pd.DataFrame | None
) -> tuple[Evidence, ...]:
    found = [*_proof(making, proofs)]
    if making.is_convex:
        strength = Strength.CONVEX if making.is_recovered else Strength.WEAK
        near = "to within rounding" if making.is_recovered else "roughly"
        found.append(Evidence("convex form", strength, f"lies between its parents, {near}"))
    elif making.whole.form is Form.SIGNED:
        weights = making.whole.weights or ()
        if max(map(abs, weights), default=2.0) <= 1.0 + 1e-6:
            words = "none of its terms is taken more than once"
            found.append(Evidence("plain terms", Strength.WEAK, words))
    target = same.get(making.target, making.target)
    for place in range(len(making.whole.parents)):
        for parent in sorted({same.get(one, one) for one in making.whole.holders(place)}):
            found += claimed.signs.get((target, parent), ())
            found += [
                Evidence(sign.kind, sign.strength, sign.words, False)
                for sign in claimed.signs.get((parent, target), ())
                # Many models hold what one of them is claimed to come from.
                if parent == same.get(making.whole.parents[place])
            ]
    return in_order(found)


def _proof(making: Making, proofs: pd.DataFrame | None) -> list[Evidence]:
    """Return what making the component again tells: it must not go as well the other way."""
    if proofs is None:
        return []
    own = proofs[(proofs["target"] == making.target) & (proofs["component"] == making.component)]
    own = own.drop_duplicates("block")  # the best arithmetic stands first
    if own.empty or not (own["verdict"] == PROVED).all():
        return []
    turned = pd.to_numeric(own["turned"], errors="coerce").max()
    if not turned < 1:
        return []
    words = f"made again bit for bit, and turned around for {100 * turned:.4g} % at most"
    return [Evidence("proof", Strength.PROOF, words)]


def told_of_dropped(dropped: Sequence[Recipe], labels: Mapping[str, str]) -> list[str]:
    """Say which recipes of a strength that decides gave way to others."""
    return [
        f"{labels.get(one.making.target, one.making.target)}: its recipe for "
        f"{one.making.component} gave way to others, of which it would be an ancestor and a child"
        for one in dropped
        if one.judgement.is_decided and one.judgement.is_forward
    ]
