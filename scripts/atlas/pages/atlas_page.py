"""
The page of a group: its models, how they lie to each other, and everything about each two.

Large parts are elements of their own, which the page unpacks when they are first asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from atlas.measures import SHOWN
from atlas.pages import decimals, document, squares
from atlas.pages.packing import LEVEL, Packing
from atlas.plots.style import FAR_TO_NEAR, MAKING_ORDER, QUALITATIVE
from atlas.plots.words import COMPONENT_TITLES, titled
from atlas.relations.classes import TAG, Classes
from atlas.relations.matrices import Matrix

ENTRY = "atlas.js"
STYLES = ("page.css", "atlas.css")
SOUND, REMARKED, BROKEN = range(3)
"""A model's health."""


@dataclass(frozen=True)
class Holding:
    """One component of a model."""

    component: str
    dtype: str
    tensors: int | None
    parameters: int | None
    family: str = ""
    """What the identity picture writes: `A`, `A ≈`, `A 93 %`, `own`."""
    refused: bool = False


@dataclass(frozen=True)
class Claimed:
    """What one source says of a model's making, and whether the weights agree."""

    source: str
    what: str
    answer: str
    words: str


@dataclass(frozen=True)
class Recipe:
    """What a model was made from."""

    kind: str
    parts: Sequence[tuple[str, str]]
    """Components, and what is said of them."""
    baked: Sequence[str] = ()
    claims: Sequence[Claimed] = ()


@dataclass(frozen=True)
class Card:
    """What is told of a model by itself."""

    path: str = ""
    tags: Sequence[str] = ()
    claim: str = ""
    """What the roster says of its making."""
    file_bytes: int | None = None
    bytes: int | None = None
    problem: str = ""
    findings: Sequence[str] = ()
    parts: Sequence[Holding] = ()
    page: str = ""
    """Where more is told of it, relative to the page."""
    recipe: Recipe | None = None

    @property
    def health(self) -> int:
        """Whether it could be read, and whether something is to be known of it."""
        return BROKEN if self.problem else REMARKED if self.findings else SOUND


@dataclass(frozen=True)
class Facet:
    """One way in which models differ, to filter and perhaps to colour by."""

    name: str
    title: str
    of: Mapping[str, Sequence[str]]
    """Model to its values, none to several."""
    order: Sequence[str] = ()
    """The values in their order; those that are not in it follow, the commonest first."""
    is_colour: bool = False
    lacking: str = "none"
    """What a model without a value is called."""

    def categories(self) -> list[str]:
        """Return the values in order."""
        counts = Counter(value for values in self.of.values() for value in values)
        rest = sorted(set(counts) - {*self.order}, key=lambda value: (-counts[value], value))
        return [*(value for value in self.order if value in counts), *rest]


@dataclass(frozen=True)
class Step:
    """One step of a path, in the units of the l2."""

    before: int
    after: int
    """Numbers of the models that it leads from and to."""
    l2: float | None
    angle: float | None
    from_first: float | None
    path: float | None
    """Sum of the steps so far."""
    root_sum_of_squares: float | None
    """Of the steps so far: `from_first`, where all are at right angles."""
    straightness: float | None


@dataclass(frozen=True, eq=False)
class Group:
    """All that a page shows; every list of models is in the roster's order."""

    matrices: Mapping[str, Sequence[Matrix]]
    """Component to its matrices, one of each measure, the same measures everywhere."""
    cards: Mapping[str, Card]
    title: str
    subtitle: str
    measure: str
    """The one that is shown first."""
    findings: Sequence[str] = ()
    facets: Sequence[Facet] = ()
    paths: Mapping[str, Sequence[Step]] | None = None
    """Component to its steps, where the models are in the order of their making."""
    links: Sequence[tuple[str, str]] = ()
    """Text and address, relative to the page."""
    recipes: Sequence[str] = ()
    """What was found of recipes, in sentences."""
    recipe_links: Sequence[tuple[str, str]] = ()
    """Where more is told of recipes and lineage."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Further elements by id, packed: blocks, tensors, spread, identity."""
    pairs: Mapping[str, Any] | None = None
    """What the page is told of the pairs that have blocks; None where no pair has."""
    packing: Packing = field(default_factory=Packing)
    """Where arrays go that `pairs` names."""


def write(path: Path, group: Group) -> None:
    """Write the page of a group whole or not at all."""
    packing, data = group.packing, {}
    first = next(iter(group.matrices.values()))[0]
    components = []
    for number, (component, matrices) in enumerate(group.matrices.items()):
        sets = squares.sets_of(matrices)
        shares = squares.coverage(matrices[0], sets)
        components.append(
            {
                "name": component,
                "title": titled(component),
                "sets": packing.add(sets.of),
                "count": len(sets.first),
                "coverage": None if shares is None else decimals.packed(shares, packing),
            }
        )
        for place, matrix in enumerate(matrices):
            own = Packing()
            data[f"square-{number}-{place}"] = own.packed(
                squares.square(matrix, sets, own), level=LEVEL
            )
    measures = [matrix.measure for matrix in next(iter(group.matrices.values()))]
    start = measures.index(group.measure) if group.measure in measures else 0
    seen_first = f"square-0-{start}"
    facets = [_facet(facet, first.ids) for facet in group.facets]
    columns = _columns(group, first, facets)
    facts = {
        "title": group.title,
        "subtitle": group.subtitle,
        "ids": first.ids,
        "labels": first.labels,
        "base": -1 if first.base is None else first.index(first.base),
        "is_ordered": first.ordered,
        "order": list(range(len(first))) if first.ordered else [],
        "components": components,
        "titles": {name: COMPONENT_TITLES.get(name, name) for name in group.matrices}
        | {
            part.component: titled(part.component) for c in group.cards.values() for part in c.parts
        },
        "measures": [_measure(name) for name in measures],
        "parts": sorted(data | dict(group.parts)),
        "start": {
            "component": 0,
            "measure": start,
            "colour": 0 if columns else -1,
        },
        "facets": facets,
        "columns": columns,
        "strips": [
            place
            for place, column in enumerate(columns)
            if column["kind"] == "category" and column["is_strip"]
        ],
        "texts": [
            _texts(model, label, group)
            for model, label in zip(first.ids, first.labels, strict=True)
        ],
        "health": [group.cards[model].health for model in first.ids],
        "cards": [_card(group.cards[model]) for model in first.ids],
        "findings": list(group.findings),
        "recipes": list(group.recipes),
        "recipe_links": [list(link) for link in group.recipe_links],
        "path": None if group.paths is None else _paths(group.paths),
        "links": [list(link) for link in group.links],
        "pairs": group.pairs,
        "look": {
            "categories": QUALITATIVE,
            "ramp": FAR_TO_NEAR,
            "making": MAKING_ORDER,
        },
    }
    document.write(
        path,
        title=group.title,
        entry=ENTRY,
        data={"data": packing.packed(facts, level=LEVEL)},
        late={seen_first: data.pop(seen_first)} | data | dict(group.parts),
        styles=STYLES,
    )


def _measure(name: str) -> dict[str, str]:
    """Return how a measure is told: a similarity as the distance 1 − it."""
    measure = SHOWN[name]
    return {"name": name, "title": measure.title, "unit": measure.unit}


def _facet(facet: Facet, ids: Sequence[str]) -> dict[str, Any]:
    categories = facet.categories()
    code = {value: place for place, value in enumerate(categories)}
    codes = [[code[value] for value in facet.of.get(model, ())] for model in ids]
    counts = Counter(each for own in codes for each in own)
    return {
        "name": facet.name,
        "title": facet.title,
        "categories": categories,
        "counts": [counts[place] for place in range(len(categories))],
        "codes": codes,
        "is_colour": facet.is_colour,
        "lacking": facet.lacking,
    }


def _columns(group: Group, first: Matrix, facets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what models can be coloured by; the first is the colour at the beginning."""
    found: list[dict[str, Any]] = []
    size = len(first)
    order = {
        "name": "order",
        "title": "order of the roster",
        "kind": "order",
        "values": list(range(size)),
    }
    for facet in facets:
        if (
            not facet["is_colour"]
            or len(facet["categories"]) + any(not own for own in facet["codes"]) < 2
        ):
            continue
        found.append(
            {
                "name": facet["name"],
                "title": facet["title"],
                "kind": "category",
                "categories": facet["categories"],
                "values": [own[0] if own else -1 for own in facet["codes"]],
                "lacking": facet["lacking"],
                "is_strip": True,
            }
        )
    if first.ordered:
        return [order | {"title": "order of making"}, *found]
    if size <= len(QUALITATIVE):
        own = {
            "name": "model",
            "title": "model",
            "kind": "model",
            "categories": list(first.labels),
            "values": list(range(size)),
        }
        return [own, *found]
    told = max(found, key=lambda column: _information(column, size), default=order)
    return [told, *(column for column in [*found, order] if column is not told)]


def _information(column: Mapping[str, Any], size: int) -> tuple[bool, float]:
    """Return what sorts columns: a tag before others, then how much they tell of a model."""
    names = {str(model): str(code) for model, code in enumerate(column["values"]) if code >= 0}
    return column["name"] == TAG, Classes(column["name"], names).information(size)


def _texts(model: str, label: str, group: Group) -> str:
    """Return what a search looks at."""
    return "\n".join([label, model, *group.cards[model].tags]).lower()


def _card(card: Card) -> dict[str, Any]:
    return {
        "path": card.path,
        "tags": list(card.tags),
        "claim": card.claim,
        "file_bytes": card.file_bytes,
        "bytes": card.bytes,
        "problem": card.problem,
        "findings": list(card.findings),
        "page": card.page,
        "recipe": None if card.recipe is None else asdict(card.recipe),
        "parts": [
            {
                "component": part.component,
                "title": titled(part.component),
                "dtype": part.dtype,
                "tensors": part.tensors,
                "parameters": part.parameters,
                "family": part.family,
                "refused": part.refused,
            }
            for part in card.parts
        ],
    }


def _paths(paths: Mapping[str, Sequence[Step]]) -> dict[str, Any]:
    return {
        component: {
            "straightness": steps[-1].straightness if steps else None,
            "length": steps[-1].path if steps else None,
            "direct": steps[-1].from_first if steps else None,
            "root_sum_of_squares": steps[-1].root_sum_of_squares if steps else None,
            "steps": [
                {
                    "from": step.before,
                    "to": step.after,
                    "l2": step.l2,
                    "angle": step.angle,
                    "from_first": step.from_first,
                    "straightness": step.straightness,
                }
                for step in steps
            ],
        }
        for component, steps in paths.items()
    }
