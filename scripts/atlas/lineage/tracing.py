"""Trace what was made from what in a group: digests, then recipes, then nearest relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from atlas.lineage import ancestry, positions, rivals, signs, tunes
from atlas.lineage.circles import without_circles
from atlas.lineage.claimed import Claimed
from atlas.lineage.covers import Slot, by_parent, cover
from atlas.lineage.evidence import Evidence, Strength
from atlas.lineage.findings import findings
from atlas.lineage.graph import (
    COMPONENT,
    DECIDED,
    LORA,
    MERGE,
    MISSING,
    TUNE,
    Edge,
    Lineage,
    Node,
    directed,
    sorted_edges,
)
from atlas.lineage.holders import Holders, counts_of, origin
from atlas.lineage.known import Known
from atlas.lineage.rivals import Accepted, Recipe, accept
from atlas.lineage.shortcuts import shortcuts
from atlas.recipes.tables import WHOLE
from atlas.recipes.verdicts import Verdict

LOW_RANK = ("lora", "loha", "low rank")
EVEN = 0.005
"""Weights of a parent in several components, or blocks, that differ by no more are one number."""
CLAIMED_KINDS = {
    "weighted sum": MERGE, "add difference": MERGE, "other arithmetic": MERGE, "lora": LORA,
}  # fmt: skip


def trace(known: Known) -> Lineage:
    """Return the lineage of a group."""
    tracing = _Tracing(known)
    edges = [*known.derived.edges, *tracing.edges()]
    edges += tracing.missing(edges)
    edges, circles = without_circles(edges)
    ordered = sorted_edges(edges)
    models = [Node(model, label) for model, label in sorted(known.labels.items())]
    gone = sorted({edge.parent for edge in ordered if edge.parent.startswith(MISSING)})
    nodes = (*models, *(Node(one, one.removeprefix(MISSING), True) for one in gone))
    return Lineage(
        group=known.group,
        nodes=nodes,
        edges=ordered,
        ancestry=ancestry.table(ordered, _blocks(known)),
        positions=positions.table(ordered, dict(known.holders)),
        findings=(
            *findings(known, ordered, tracing.counts),
            *(
                told
                for own in tracing.contents.values()
                for told in rivals.told_of_dropped(own.accepted.dropped, known.labels)
            ),
            *circles,
        ),
    )


def _blocks(known: Known) -> dict[str, tuple[str, ...]]:
    """Return each component's blocks in order of the network."""
    found: dict[str, tuple[str, ...]] = {}
    for (_, component), making in sorted(known.makings.items()):
        if len(making.blocks) > len(found.get(component, ())):
            found[component] = tuple(making.blocks)
    return found


@dataclass(frozen=True)
class _Contents:
    """How a component's contents hang together."""

    holders: Holders
    accepted: Accepted
    tuned: Mapping[int, int]
    """Contents to those that they are a fine-tune of."""


class _Tracing:
    """Names the parents of each model that is no copy, cast or part of another."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.same = known.derived.same
        self.claimed: Claimed = known.claimed.of_leaders(self.same)
        self.counts = counts_of(known.holders.values())
        self.derived = {one for one in self.counts if known.derived.is_derived(one)}

    @cached_property
    def contents(self) -> dict[str, _Contents]:
        """By component."""
        found = {}
        for component, holders in sorted(self.known.holders.items()):
            merges = [
                making
                for (_, part), making in sorted(self.known.makings.items())
                if part == component and making.is_merge
            ]
            accepted = accept(
                merges, holders, self.same, self.claimed, self.known.proofs, base=self.known.base
            )
            tuned = tunes.nearest_relatives(holders, self._before(component, holders, accepted))
            found[component] = _Contents(holders, accepted, tuned)
        return found

    def _before(self, component: str, holders: Holders, accepted: Accepted) -> tunes.Known:
        """Return what is known of a component's contents before their relatives are sought."""
        explained: dict[int, int | None] = {
            number: _heaviest(recipe) for number, recipe in accepted.recipes.items()
        }
        forbidden = {
            (number, below)
            for number in range(len(holders.members))
            for below in accepted.descendants(number)
        }
        base = self.known.leading_base
        base_contents = holders.number.get(base) if base is not None else None
        impossible, tuned = shortcuts(holders, accepted, base_contents)
        forbidden |= impossible
        claims: dict[int, set[int]] = {}
        for child in holders.models:
            own = holders.number[child]
            for parent in self.claimed.parents(child):
                if parent in holders.number and holders.number[parent] != own:
                    claims.setdefault(own, set()).add(holders.number[parent])
        for child, parent in self._following(holders):
            # What follows from another by digests is not its source.
            forbidden.add((holders.number[parent], holders.number[child]))
            explained.setdefault(holders.number[child], holders.number[parent])
        rounded = {
            holders.number[leader]
            for (model, part), making in sorted(self.known.makings.items())
            if part == component and making.whole.verdict is Verdict.CAST
            if (leader := self.same.get(model, model)) in holders.number
        }
        rounded |= {holders.number[one] for edge in self.known.derived.edges if edge.kind == "cast"
                    if (one := edge.child) in holders.number}  # fmt: skip
        rounded -= set(accepted.recipes)
        explained = {child: parent for child, parent in explained.items() if child not in rounded}
        return tunes.Known(explained, claims, forbidden, rounded, tuned, base_contents)

    def _following(self, holders: Holders) -> list[tuple[str, str]]:
        """Return pairs of models of which the first follows from the second by digests."""
        derived = self.known.derived
        at = {model: row for row, model in enumerate(derived.models)}
        rows = [at[model] for model in holders.models]
        return [
            (holders.models[child], holders.models[parent])
            for child, parent in np.argwhere(derived.follows[np.ix_(rows, rows)]).tolist()
            if holders.number[holders.models[child]] != holders.number[holders.models[parent]]
        ]

    def _origin(self, members: Sequence[str]) -> str:
        derived = self.known.derived
        comes_from = {
            one: {
                other for other in members
                if other != one and (
                    (derived.follows_from(one, other) and not derived.follows_from(other, one))
                    or other in self.claimed.parents(one)
                )
            }
            for one in members
        }  # fmt: skip
        base = self.known.leading_base
        made = {one: (self.made[one], *self.counts[one]) for one in members}
        return origin(members, made, base=base, comes_from=comes_from)

    @cached_property
    def made(self) -> dict[str, int]:
        """Model to the number of its components that were merged or tuned from others."""
        return {
            model: sum(
                number in own.accepted.recipes or number in own.tuned
                for own in self.contents.values()
                if (number := own.holders.number.get(model)) is not None
            )
            for model in self.counts
        }

    @cached_property
    def origins(self) -> dict[tuple[str, int], str]:
        """Component and number of contents to the model that had them first, as far as is known."""
        return {
            (component, number): members[0] if len(members) == 1 else self._origin(members)
            for component, own in self.contents.items()
            for number, members in enumerate(own.holders.members)
        }

    def edges(self) -> list[Edge]:
        """Return the edges of merges, of fine-tunes and of components taken over."""
        found: list[Edge] = []
        for model in sorted(self.counts):
            if model not in self.derived:
                found += self._edges_of(model)
        return found

    def _edges_of(self, model: str) -> list[Edge]:
        made: list[Slot] = []
        recipes: dict[str, Recipe] = {}
        taken: dict[str, frozenset[str]] = {}
        for component, own in self.contents.items():
            number = own.holders.number.get(model)
            if number is None:
                continue
            members = own.holders.members
            if self.origins[component, number] != model:
                taken[component] = frozenset(members[number]) - {model}
            elif number in own.accepted.recipes:
                recipes[component] = own.accepted.recipes[number]
                made += [
                    Slot(component, place, frozenset(members[parent]))
                    for place, parent in enumerate(recipes[component].parents)
                ]
            elif number in own.tuned:
                made.append(Slot(component, 0, frozenset(members[own.tuned[number]])))
        wished = self.claimed.parents(model)
        base = self.known.leading_base

        def preference(one: str) -> tuple[object, ...]:
            holds = sum(one in others for others in taken.values())
            return -holds, one != base, one in self.derived, *self.counts[one], one

        named = by_parent(cover(made, preference, wished))
        left = {
            component: others for component, others in taken.items() if not others & named.keys()
        }
        first = {
            component: self.origins[component, self.contents[component].holders.number[model]]
            for component in left
        }
        slots = [Slot(component, 0, others) for component, others in left.items()]
        donors = by_parent(
            cover(slots, lambda one: (one not in first.values(), preference(one)), wished)
        )
        edges: list[Edge] = []
        for parent, own_slots in named.items():
            shared = tuple(component for component, others in taken.items() if parent in others)
            edges += self._made_from(model, parent, own_slots, recipes, shared)
        for parent, own_slots in donors.items():
            edges.append(self._taken_from(model, parent, [slot.row for slot in own_slots]))
        return edges

    def _made_from(
        self,
        child: str,
        parent: str,
        slots: Sequence[Slot],
        recipes: Mapping[str, Recipe],
        shared: tuple[str, ...],
    ) -> list[Edge]:
        edges = []
        merged = [slot for slot in slots if slot.row in recipes]
        tuned = [slot.row for slot in slots if slot.row not in recipes]
        if merged:
            edges.append(self._merge(child, parent, merged, recipes, shared))
        low = [component for component in tuned if self._rank_of(child, parent, component)]
        for kind, components in ((LORA, low), (TUNE, [one for one in tuned if one not in low])):
            if components:
                edges.append(self._tune(child, parent, kind, components, shared))
        return edges

    def _merge(
        self,
        child: str,
        parent: str,
        slots: Sequence[Slot],
        recipes: Mapping[str, Recipe],
        shared: tuple[str, ...],
    ) -> Edge:
        weights = {slot.row: recipes[slot.row].making.weights_of(slot.place) for slot in slots}
        found: list[Evidence] = []
        for slot in slots:
            recipe = recipes[slot.row]
            others = recipe.making.whole.parents
            found += [
                replace(sign, words=f"{sign.words} ({slot.row})")
                if sign.kind in ("proof", "convex form")
                else sign
                for sign in recipe.signs
                if sign.kind in ("proof", "convex form", "plain terms") or len(others) > 1
            ]
        numbers = [weight for own in weights.values() for weight in own.values()]
        is_even = bool(numbers) and max(numbers) - min(numbers) <= EVEN
        is_even = is_even and all(WHOLE in own or own for own in weights.values())
        unsure = sorted(slot.row for slot in slots if not recipes[slot.row].making.is_recovered)
        note = f"approximate in {', '.join(unsure)}" if unsure else ""
        return directed_as_recipe(
            Edge(
                parent, child, MERGE, tuple(sorted(weights)), tuple(found), shared,
                float(f"{np.mean(numbers):.6g}") if is_even else None,
                tuple((component, _rounded(own)) for component, own in sorted(weights.items())),
                note=note,
            )
        )  # fmt: skip

    def _tune(
        self, child: str, parent: str, kind: str, components: list[str], shared: tuple[str, ...]
    ) -> Edge:
        def relative(component: str) -> float:
            holders = self.contents[component].holders
            ends = holders.number[child], holders.number[parent]
            return float(np.nan_to_num(holders.relative[ends]))

        main = max(sorted(components), key=relative)
        holders = self.contents[main].holders
        ends = holders.number[parent], holders.number[child]
        weak = [
            *signs.of_places(holders, *ends, names=(parent, child)),
            *signs.of_order(parent, child, self.claimed.orders),
        ]
        moments = [self.known.moments.get(one, {}).get(main) for one in (parent, child)]
        if moments[0] is not None and moments[1] is not None:
            weak += signs.of_statistics(
                moments[0], moments[1], float(holders.distances[ends]), names=(parent, child)
            )
        found = (*self._claims(child, parent), *signs.total(weak))
        note = f"nearest known relative, at {100 * relative(main):.3g} % of the norm in {main}"
        details = [self._rank_of(child, parent, one) for one in components if kind == LORA]
        note = "; ".join([note, *filter(None, details)])
        return directed(
            Edge(parent, child, kind, tuple(sorted(components)), found, shared, note=note)
        )

    def _taken_from(self, child: str, parent: str, components: list[str]) -> Edge:
        found = list(self._claims(child, parent))
        for component in components:
            holders = self.contents[component].holders
            count = len(holders.members[holders.number[child]])
            if count > 2:
                words = f"{count - 1} others hold this {component}"
                found.append(Evidence("shared by more", Strength.WEAK, words))
        return directed(
            Edge(parent, child, COMPONENT, tuple(sorted(components)), tuple(found),
                 note="the same bit for bit, while the rest comes from elsewhere")
        )  # fmt: skip

    def _claims(self, child: str, parent: str) -> tuple[Evidence, ...]:
        contrary = self.claimed.signs.get((parent, child), ())
        return (
            *self.claimed.signs.get((child, parent), ()),
            *(replace(sign, supports=False) for sign in contrary),
        )

    def _rank_of(self, child: str, parent: str, component: str) -> str:
        """Return what is said of a difference of low rank; nothing where there is none."""
        table = self.known.low_rank
        if table is None or table.empty:
            return ""
        mine = [one for one, leader in self.same.items() if leader == child]
        holders = self.contents[component].holders
        theirs = holders.members[holders.number[parent]]
        own = table[
            table["child"].isin(mine)
            & table["base"].map(lambda one: self.same.get(one, one)).isin(theirs)
            & (table["component"] == component)
            & (table["role"] == WHOLE)
            & table["verdict"].isin(LOW_RANK)
        ]
        return "" if own.empty else str(own.iloc[0]["detail"] or own.iloc[0]["verdict"])

    def missing(self, edges: Sequence[Edge]) -> list[Edge]:
        """Return edges from parents that claims name and the group lacks."""
        explained = {
            edge.child
            for edge in edges
            if edge.kind == MERGE and edge.direction == DECIDED and self._explains(edge)
        }
        found = []
        for child, named in self.claimed.missing.items():
            if child in explained or child in self.derived:
                continue
            for name, kind, source in named:
                sign = Evidence("claim", Strength.CLAIM, f"{source}: {kind} of {name}")
                found.append(
                    Edge(
                        MISSING + name, child, CLAIMED_KINDS.get(kind, TUNE), (), (sign,),
                        direction=DECIDED, strength=Strength.CLAIM,
                        note="named by metadata alone: the group lacks it",
                    )
                )  # fmt: skip
        return found

    def _explains(self, edge: Edge) -> bool:
        """Tell whether a merge leaves no room for a parent that is not here."""
        if edge.strength is Strength.PROOF:
            return True
        recipes = []
        for component in edge.components:
            own = self.contents[component]
            recipes.append(own.accepted.recipes.get(own.holders.number[edge.child]))
        return all(recipe is not None and recipe.making.is_recovered for recipe in recipes)


def directed_as_recipe(edge: Edge) -> Edge:
    """Return a merge's edge with its evidence weighed; the recipe has said who is the child."""
    told = directed(edge)
    if told.child == edge.child:
        return told
    return replace(edge, evidence=edge.evidence, direction="undecided", strength=None)


def _rounded(weights: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple((block, float(f"{weight:.6g}")) for block, weight in weights.items())


def _heaviest(recipe: Recipe) -> int | None:
    weights = recipe.making.whole.weights
    if weights is None:
        means = [
            float(np.mean(list(own.values()))) if own else 0.0
            for own in map(recipe.making.weights_of, range(len(recipe.parents)))
        ]
    else:
        means = list(weights)
    return recipe.parents[int(np.argmax(means))]
