"""What the roster and claims say of parents, as evidence, and what they name that nobody has."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from atlas.lineage.evidence import Evidence, Strength

PARENTAL = frozenset({
    "weighted sum", "add difference", "fine-tune", "cast", "copy", "prune", "rename",
    "component of", "lora", "other arithmetic",
})  # fmt: skip
"""Kinds of claims that name a parent."""
DATE = "date"
"""Kind of claims that tell when a model was made."""
CERTAIN = frozenset({"", "id", "hash"})
"""By what a claimed parent was found that need not be told."""


@dataclass(frozen=True)
class Claimed:
    """Claims of parents, by (child, parent)."""

    signs: Mapping[tuple[str, str], tuple[Evidence, ...]] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The kind of the first claim that names one: `fine-tune`, `weighted sum`, ..."""
    missing: Mapping[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    """Child to (name, kind, source) of parents that the group does not have."""
    orders: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Model to what orders it among others: by source its steps, or DATE."""

    def parents(self, child: str) -> list[str]:
        """Return the parents that are claimed of a model with a strength that decides."""
        return sorted(
            parent
            for (one, parent), signs in self.signs.items()
            if one == child and any(sign.strength is Strength.CLAIM for sign in signs)
        )

    def of_leaders(self, same: Mapping[str, str]) -> Claimed:
        """Return the claims with the models in place that stand for all of the same weights."""
        signs: dict[tuple[str, str], tuple[Evidence, ...]] = {}
        for (child, parent), found in sorted(self.signs.items()):
            pair = same[child], same[parent]
            if pair[0] != pair[1]:
                signs[pair] = tuple(dict.fromkeys((*signs.get(pair, ()), *found)))
        kinds = {(same[child], same[parent]): kind for (child, parent), kind in self.kinds.items()}
        missing: dict[str, tuple[tuple[str, str, str], ...]] = {}
        for model, found_missing in sorted(self.missing.items()):
            own = missing.get(same[model], ())
            missing[same[model]] = tuple(sorted({*own, *found_missing}))
        orders: dict[str, dict[str, float]] = {}
        for model, found_orders in sorted(self.orders.items()):
            for source, order in found_orders.items():
                if source == DATE:  # weights are as old as the first file that holds them
                    known = orders.setdefault(same[model], {})
                    known[DATE] = min(order, known.get(DATE, order))
                else:
                    _keep_largest(orders, same[model], source, order)
        return Claimed(signs, kinds, missing, orders)


def claimed(
    table: pd.DataFrame | None, models: tuple[str, ...], bases: Mapping[str, str]
) -> Claimed:
    """
    Return what is claimed of a group's models.

    A claim that a model may have inherited with a parent's metadata is a hint.

    Parameters
    ----------
    table
        The group's claims as texts (claims.csv), if there are any.
    bases
        Model to the base that the roster declares.
    """
    known = set(models)
    signs: dict[tuple[str, str], list[Evidence]] = {}
    kinds: dict[tuple[str, str], str] = {}
    missing: dict[str, set[tuple[str, str, str]]] = {}
    for model, base in sorted(bases.items()):
        if model in known and base in known and model != base:
            words = f"the roster declares {base} as the base of {model}"
            signs.setdefault((model, base), []).append(
                Evidence("declared base", Strength.CLAIM, words)
            )
    records = [] if table is None else table.to_dict("records")
    for record in sorted(records, key=lambda one: tuple(map(str, one.values()))):
        model, parent = record["model"], record["parent_model"]
        if record["kind"] not in PARENTAL or model not in known:
            continue
        source, kind = record["source"], record["kind"]
        if parent in known:
            if parent == model or (source == "roster base" and bases.get(model) == parent):
                continue
            strength = Strength.HINT if _is_true(record["inherited"]) else Strength.CLAIM
            words = f"{source}: {model} is {_article(kind)} of {parent}"
            words += ", perhaps inherited" if _is_true(record["inherited"]) else ""
            words += f", found by {record['how']}" if record["how"] not in CERTAIN else ""
            signs.setdefault((model, parent), []).append(Evidence("claim", strength, words))
            kinds.setdefault((model, parent), kind)
        elif record["parent"] and not parent and not _is_true(record["inherited"]):
            missing.setdefault(model, set()).add((record["parent"], kind, source))
    return Claimed(
        {pair: tuple(dict.fromkeys(found)) for pair, found in signs.items()},
        kinds,
        {model: tuple(sorted(found)) for model, found in sorted(missing.items())},
        _orders(records),
    )


def _article(kind: str) -> str:
    """Return a kind as sentences have it: `component of` ends on the word that follows."""
    word = kind.removesuffix(" of")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _is_true(text: object) -> bool:
    return str(text).lower() in ("true", "1")


def _orders(records: list[dict[Hashable, Any]]) -> dict[str, dict[str, float]]:
    """Return the largest order that each source tells of each model."""
    found: dict[str, dict[str, float]] = {}
    for record in records:
        if record["order"] not in ("", None) and not _is_true(record["inherited"]):
            source = DATE if record["kind"] == DATE else record["source"]
            _keep_largest(found, record["model"], source, float(record["order"]))
    return found


def _keep_largest(
    orders: dict[str, dict[str, float]], model: str, source: str, order: float
) -> None:
    own = orders.setdefault(model, {})
    own[source] = max(order, own.get(source, order))
