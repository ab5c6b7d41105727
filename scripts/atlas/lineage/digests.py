"""Edges that digests prove: copies, names changed, casts and parts of other models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd

from atlas.lineage.evidence import Evidence, Strength
from atlas.lineage.graph import CAST, COPY, PRUNE, RENAME, Edge, directed
from atlas.relations.derivations import Derivations, Step
from atlas.relations.holdings import Flags, Holdings, Pairs

Claims = Mapping[tuple[str, str], tuple[Evidence, ...]]
"""(child, parent) to what claims say of them."""


@dataclass(frozen=True, eq=False)
class Derived:
    """Which models of a group follow from others by their digests."""

    models: tuple[str, ...]
    same: Mapping[str, str]
    """Each model to the one that stands for all that hold the same weights."""
    follows: Flags
    """Shape (models, models): whether the row's model follows from the column's, wholly."""
    edges: tuple[Edge, ...]
    names: Mapping[str, tuple[str, ...]]
    """Who holds the same weights, by the model that stands for them: itself first."""

    def is_derived(self, model: str) -> bool:
        """Tell whether a model's weights are all another's, or another's rounded."""
        kinds = (CAST, PRUNE)
        return any(edge.kind in kinds and edge.child == self.same[model] for edge in self.edges)

    def follows_from(self, child: str, parent: str) -> bool:
        """Tell whether a model follows from another."""
        row, column = self.models.index(child), self.models.index(parent)
        return bool(self.follows[row, column])


def nothing(models: tuple[str, ...]) -> Derived:
    """Return what is known without digests, as of published matrices."""
    none = np.zeros((len(models), len(models)), dtype=bool)
    return Derived(models, {one: one for one in models}, none, (), {one: (one,) for one in models})


def derived(
    identity: pd.DataFrame,
    described: pd.DataFrame,
    models: tuple[str, ...],
    *,
    base: str | None,
    claims: Claims,
    keys: Callable[[str], Collection[str]],
) -> Derived:
    """
    Return what follows from what.

    Models that hold the same weights stand together behind one of them: the group's base, else
    the one that most of the others are claimed to come from, else the first by id. A cast or a
    part hangs on its nearest source: on one from which no other source follows.

    Parameters
    ----------
    identity
        The group's identity table: `holdings.READ`, and `renamed_tensors`.
    described
        The group's table of models, as `holdings.read_models` gives it.
    models
        All models of the group, in order of id.
    keys
        Gives the names that a model's tensors have in its file.
    """
    pairs = Pairs.of(identity, models)
    found = Derivations(pairs, Holdings.of(pairs, described))
    both = found.direct & found.direct.T
    first = np.where(both.any(axis=1), (both | np.eye(len(models), dtype=bool)).argmax(axis=1), -1)
    groups: dict[int, list[int]] = {}
    for row, leader in enumerate(first.tolist()):
        groups.setdefault(leader if leader >= 0 else row, []).append(row)
    named = [_led([models[row] for row in rows], base, claims) for rows in groups.values()]
    same = {one: own[0] for own in named for one in own}
    renamed = _renamed(identity)
    edges = []
    for own in named:
        first_keys = set(keys(own[0])) if len(own) > 1 else set()
        for other in own[1:]:
            shared = len(first_keys & set(keys(other)))
            # Where no name is the same, the layout is another; where some are, names were changed.
            is_renamed = frozenset((own[0], other)) in renamed or 0 < shared < len(first_keys)
            edges.append(_equal(own[0], other, found, is_renamed, shared > 0, claims))
    edges += _narrower(found, same, base, claims)
    return Derived(models, same, found.closed, tuple(edges), {own[0]: tuple(own) for own in named})


def _led(own: list[str], base: str | None, claims: Claims) -> list[str]:
    """Put the one first that stands for all."""
    claimed = {
        one: sum((other, one) in claims for other in own)
        - sum((one, other) in claims for other in own)
        for one in own
    }
    return sorted(own, key=lambda one: (one != base, -claimed[one], one))


def _renamed(identity: pd.DataFrame) -> set[frozenset[str]]:
    """Return the pairs of models of which some tensors have other names."""
    told = identity[identity["renamed_tensors"] > 0]
    return {frozenset(pair) for pair in zip(told["a"], told["b"], strict=True)}


def _equal(
    parent: str,
    child: str,
    found: Derivations,
    is_renamed: bool,
    has_same_names: bool,
    claims: Claims,
) -> Edge:
    at = found.models.index
    kind = RENAME if is_renamed else COPY
    others = "in another layout" if not has_same_names else "bit for bit"
    words = "under other names" if is_renamed else others
    return directed(
        Edge(
            parent,
            child,
            kind,
            found.step(at(child), at(parent)).same,
            _claimed(parent, child, claims),
            note=f"the same weights {words}: weights do not tell which was first",
        )
    )


def _claimed(parent: str, child: str, claims: Claims) -> tuple[Evidence, ...]:
    """Return what claims say for an edge and against it."""
    contrary = claims.get((parent, child), ())
    against = [Evidence(sign.kind, sign.strength, sign.words, False) for sign in contrary]
    return (*claims.get((child, parent), ()), *against)


def _narrower(
    found: Derivations, same: Mapping[str, str], base: str | None, claims: Claims
) -> list[Edge]:
    """Return the edges of casts and parts, each to its nearest source."""
    models = found.models
    leaders = sorted(set(same.values()))
    graph = nx.DiGraph()
    graph.add_nodes_from(leaders)
    closed = found.closed
    at = {model: row for row, model in enumerate(models)}
    for child in leaders:
        for parent in leaders:
            if parent != child and closed[at[child], at[parent]]:
                graph.add_edge(child, parent)
    edges = []
    for child in leaders:
        sources = [one for one in graph[child] if found.direct[at[child], at[one]]]
        nearest = [
            one for one in sources
            if not any(graph.has_edge(other, one) for other in sources if other != one)
        ]  # fmt: skip
        if not nearest:
            continue
        parent = min(
            nearest,
            key=lambda one: (
                (child, one) not in claims, one != base,
                -graph.in_degree(one), graph.out_degree(one), one,
            ),
        )  # fmt: skip
        edges.append(_edge(child, parent, len(nearest) - 1, found, claims))
    return edges


def _edge(child: str, parent: str, others: int, found: Derivations, claims: Claims) -> Edge:
    at = found.models.index
    step = found.step(at(child), at(parent))
    kind = CAST if step.relation == "cast" else PRUNE
    sign = Evidence(kind, Strength.DIGESTS, _told(step))
    note = f"{others} more hold these weights as well" if others else ""
    rounded = tuple(component for component, _ in step.rounded)
    components = tuple(sorted({*step.same, *rounded, *step.averaged}))
    return directed(
        Edge(parent, child, kind, components, (sign, *_claimed(parent, child, claims)), note=note)
    )


def _told(step: Step) -> str:
    """Return why a step can't be taken backwards."""
    parts = []
    if step.rounded:
        dtypes = sorted({dtype for _, dtype in step.rounded})
        parts.append(f"rounded to {' and '.join(dtypes)}: what is lost can't be got back")
    if step.averaged:
        parts.append("the raw weights are the other's training copy (EMA)")
    if step.beside:
        parts.append(f"the other also has {', '.join(step.beside)}")
    return "; ".join(parts)
