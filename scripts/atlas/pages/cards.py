"""The cards of a group's models, and what models are filtered and coloured by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from atlas.names.components import EMA
from atlas.pages.atlas_page import BROKEN, REMARKED, SOUND, Card, Claimed, Facet, Holding, Recipe
from atlas.plots.sharing import Cell
from atlas.plots.words import titled
from atlas.relations import families
from atlas.relations.classes import by_tag
from atlas.relations.families import Standing

HEALTH = {SOUND: "nothing noticed", REMARKED: "something noticed", BROKEN: "not read, or in part"}
KINDS = {"weighted": "merge", "block_weighted": "merge by block", "finetune": "fine-tune"}

Standings = Mapping[str, Mapping[str, Standing]]
"""Component to model to where it stands among the families."""


def standings(frame: pd.DataFrame, models: Sequence[str]) -> dict[str, dict[str, Standing]]:
    """
    Return where each model stands in each component.

    Parameters
    ----------
    frame
        The identity table.
    models
        The group's models in the roster's order.
    """
    averages = families.averages(frame)
    return {
        str(component): families.standings(
            rows, models, [raw for part, raw in averages.values() if part == component]
        )
        for component, rows in frame.groupby("component", observed=True)
    }


def cards(
    table: pd.DataFrame,
    noticed: Mapping[str, Sequence[str]],
    places: Standings,
    roster: Mapping[str, Mapping[str, Any]],
    pages: str,
) -> dict[str, Card]:
    """
    Return a card for each model of the roster's facts, in their order.

    Parameters
    ----------
    table
        The group's table of models.
    noticed
        Model to what is said of it.
    places
        Where the models stand.
    roster
        Model to `path`, `tags`, `base` and `recipe`; labels are not among them.
    pages
        Where the pages of single models are, relative to the group's.
    """
    rows = {str(model): rows for model, rows in table.groupby("model", sort=False)}
    return {
        model: _card(model, rows.get(model), noticed.get(model, ()), places, facts, pages)
        for model, facts in roster.items()
    }


def with_recipes(
    cards_of: Mapping[str, Card], told: Mapping[str, Mapping[str, Any]]
) -> dict[str, Card]:
    """
    Return cards with what models were made from.

    Parameters
    ----------
    told
        Model to `kind`, `recipe`, `baked` and `claims`, as write_recipes tells other pages.
    """
    return {
        model: replace(card, recipe=_recipe(told[model])) if model in told else card
        for model, card in cards_of.items()
    }


def _recipe(facts: Mapping[str, Any]) -> Recipe:
    return Recipe(
        kind=facts["kind"],
        parts=[(part["of"], part["text"]) for part in facts["recipe"]],
        baked=facts["baked"],
        claims=[Claimed(**claim) for claim in facts["claims"]],
    )


def _card(
    model: str,
    rows: pd.DataFrame | None,
    noticed: Sequence[str],
    places: Standings,
    facts: Mapping[str, Any],
    pages: str,
) -> Card:
    told = Card(path=facts["path"], tags=tuple(facts["tags"]), claim=claim(facts))
    if rows is None:
        return told
    problems = [_problem(row) for row in rows.to_dict("records") if isinstance(row["problem"], str)]
    held = rows[rows["component"].notna()]
    return Card(
        path=told.path,
        tags=told.tags,
        claim=told.claim,
        file_bytes=_whole(rows["file_bytes"].iloc[0]),
        bytes=int(held["bytes"].sum()) if held["bytes"].notna().any() else None,
        problem="; ".join(problems),
        findings=[text for text in noticed if not any(text.endswith(each) for each in problems)],
        parts=[_holding(model, row, places) for row in held.to_dict("records")],
        page=f"{pages}/{model}.html",
    )


def _problem(row: Mapping[Any, Any]) -> str:
    part = f"{titled(row['component'])}: " if isinstance(row["component"], str) else ""
    return f"{part}{row['problem']}"


def _holding(model: str, row: Mapping[Any, Any], places: Standings) -> Holding:
    place = places.get(row["component"], {}).get(model)
    return Holding(
        component=row["component"],
        dtype=row["dtype"] if isinstance(row["dtype"], str) else "",
        tensors=_whole(row["tensors"]),
        parameters=_whole(row["parameters"]),
        family="" if place is None else Cell(place).text,
        refused=isinstance(row["refused"], str) or isinstance(row["problem"], str),
    )


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def claim(facts: Mapping[str, Any]) -> str:
    """
    Return what the roster says of a model's making, in words.

    >>> claim({"base": "a", "recipe": {"kind": "weighted", "parents": {"a": 0.7, "b": 0.3}}})
    'from a; merge of a × 0.7, b × 0.3'
    """
    told = []
    if facts.get("base"):
        told.append(f"from {facts['base']}")
    recipe = facts.get("recipe") or {}
    if recipe:
        parents = recipe.get("parents") or recipe.get("of") or ()
        kind = KINDS.get(recipe["kind"], recipe["kind"].replace("_", " "))
        told.append(f"{kind} of {_parents(parents)}" if parents else kind)
    return "; ".join(told)


def _parents(parents: Any) -> str:
    if isinstance(parents, Mapping):
        return ", ".join(f"{name} × {weight}" for name, weight in parents.items())
    return parents if isinstance(parents, str) else ", ".join(map(str, parents))


def facets(
    cards_of: Mapping[str, Card], places: Standings, leader: str | None, architectures: pd.DataFrame
) -> list[Facet]:
    """
    Return what models differ in: tags, families, dtypes, components, architectures, health.

    Parameters
    ----------
    leader
        The component whose dtype is told.
    architectures
        The group's table of models.
    """
    tags = {model: list(card.tags) for model, card in cards_of.items()}
    sorted_by = by_tag(tags)
    first = sorted_by[0].of if sorted_by else {}
    found = [
        Facet(
            "tag", "tag", {m: [first[m]] if m in first else [] for m in cards_of}, is_colour=True
        ),
        Facet("tags", "any tag", tags),
        *_families(places, cards_of),
        Facet(
            "dtype",
            f"dtype of the {titled(leader or '')}",
            _dtypes(cards_of, leader),
            is_colour=True,
        ),
        Facet(
            "component",
            "has a",
            {m: [titled(part.component) for part in card.parts] for m, card in cards_of.items()},
        ),
        Facet(
            "architecture", "architecture", _architectures(cards_of, architectures), is_colour=True
        ),
        recipe_facet(cards_of),
        Facet(
            "health",
            "health",
            {model: [HEALTH[card.health]] for model, card in cards_of.items()},
            order=list(HEALTH.values()),
        ),
    ]
    return [facet for facet in found if _tells(facet)]


def recipe_facet(cards_of: Mapping[str, Card]) -> Facet:
    """Return what models are filtered by: a merge, a copy, no recipe, ..."""
    kinds = {model: card.recipe.kind if card.recipe else "" for model, card in cards_of.items()}
    return Facet("recipe", "recipe", {model: [kind] * bool(kind) for model, kind in kinds.items()})


def _tells(facet: Facet) -> bool:
    """Return whether a facet tells any two models apart."""
    return len({tuple(values) for values in facet.of.values()}) > 1


def _families(places: Standings, models: Mapping[str, Card]) -> Iterator[Facet]:
    """Yield the families of each component that several models share."""
    for component, held in places.items():
        if component == EMA:
            continue
        letters = {
            model: place.family
            for model, place in held.items()
            if place.family is not None and (place.is_member or place.is_rounded)
        }
        if len(set(letters.values())) < len(letters):
            order = sorted(set(letters.values()), key=lambda name: (len(name), name))
            yield Facet(
                f"family.{component}",
                f"family of the {titled(component)}",
                {model: [letters[model]] if model in letters else [] for model in models},
                order=order,
                is_colour=True,
                lacking="own, or none",
            )


def _dtypes(cards_of: Mapping[str, Card], leader: str | None) -> dict[str, list[str]]:
    return {
        model: [
            part.dtype.split(" ")[0]
            for part in card.parts
            if part.component == leader and part.dtype
        ]
        for model, card in cards_of.items()
    }


def _architectures(cards_of: Mapping[str, Card], table: pd.DataFrame) -> dict[str, list[str]]:
    known = table[table["architecture"].notna()].drop_duplicates("model")
    found = dict(zip(known["model"].astype(str), known["architecture"].astype(str), strict=True))
    return {model: [found[model]] if model in found else [] for model in cards_of}
