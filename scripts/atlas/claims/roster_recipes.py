"""What a roster says of a model's making: `base`, and `recipe` in the forms that are known."""

from collections.abc import Callable, Mapping
from typing import Any

from atlas.claims.claim import WHOLE, Claim, Held, Kind, Parent
from atlas.claims.sums import Part, Sum, Unclear, claims_of, weighted
from atlas.claims.values import list_of, table_of, text_of, weight_of

BASE, RECIPE = "roster base", "roster recipe"
OUTSIDE = "outside"
"""In `ratios`: whatever is in none of the blocks that it names."""
ALIKE = {"cast": Kind.CAST, "copy": Kind.COPY, "prune": Kind.PRUNE, "renamed": Kind.RENAME}
"""Kinds of recipes by which a model has another's weights."""

Form = Callable[[Mapping[str, Any], Held], list[Claim] | None]


def base_claims(base: str | None) -> list[Claim]:
    """Return the claim that `base` makes: that the model was trained from it."""
    return [Claim(BASE, Kind.FINE_TUNE, parents=(Parent(base),))] if base else []


def recipe_claims(recipe: Mapping[str, Any] | None, held: Held) -> list[Claim]:
    """Return the claims of a recipe; one of a form that is not known is told in words."""
    if not recipe:
        return []
    kind = text_of(recipe.get("kind"))
    form = FORMS.get(kind)
    found = form(recipe, held) if form else None
    return _in_words(kind, recipe) if found is None else found


def _in_words(kind: str, recipe: Mapping[str, Any]) -> list[Claim]:
    named = recipe.get("parents")
    told = [recipe.get(key) for key in ("of", "base", "plus", "minus")]
    told += list(named)[:50] if isinstance(named, dict | list) else [named]
    parents = dict.fromkeys(Parent(name) for each in told if (name := text_of(each)))
    return [Claim(RECIPE, Kind.OTHER, parents=tuple(parents), detail=f"{kind}: not checked")]


def _weighted(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    told = {name: weight_of(each) for name, each in table_of(recipe.get("parents")).items()}
    weights = {str(name): weight for name, weight in told.items() if weight is not None}
    if not weights or len(weights) < len(told):
        return None
    whole: Sum = {Parent(name): weight for name, weight in weights.items()}
    return claims_of(RECIPE, {(WHOLE, WHOLE): whole})


def _block_weighted(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    names = [text_of(each) for each in list_of(recipe.get("parents"))]
    told = {name: weight_of(each) for name, each in table_of(recipe.get("ratios")).items()}
    ratios = {str(name): weight for name, weight in told.items() if weight is not None}
    if len(names) != 2 or not all(names) or not ratios or len(ratios) < len(told):
        return None
    a, b = (Parent(name) for name in names)
    parts: dict[Part, Sum | Unclear] = {}
    for component, blocks in (held.models if held.blocks else {"unet": tuple(ratios)}).items():
        for block in blocks:
            is_named = component == held.denoiser and block in ratios
            ratio = ratios[block] if is_named else ratios.get(OUTSIDE)
            if block != OUTSIDE:
                parts[component, block] = (
                    Unclear("no ratio is told", (a, b))
                    if ratio is None
                    else weighted((1 - ratio, {a: 1.0}), (ratio, {b: 1.0}))
                )
    return claims_of(RECIPE, parts)


def _add_difference(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    base, plus, minus = (text_of(recipe.get(key)) for key in ("base", "plus", "minus"))
    alpha = weight_of(recipe.get("alpha", 1.0))
    if not (base and plus and minus) or alpha is None:
        return None
    whole = weighted(
        (1, {Parent(base): 1.0}), (alpha, {Parent(plus): 1.0}), (-alpha, {Parent(minus): 1.0})
    )
    return claims_of(RECIPE, {(WHOLE, WHOLE): whole})


def _finetune(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    of = text_of(recipe.get("of"))
    if not of:
        return None
    trained = text_of(recipe.get("component")) or WHOLE
    claims = [Claim(RECIPE, Kind.FINE_TUNE, trained, parents=(Parent(of),))]
    if trained != WHOLE:
        claims += [
            Claim(RECIPE, Kind.COPY, component, parents=(Parent(of, 1.0),), detail="not trained")
            for component in held.models
            if component != trained
        ]
    return claims


def _alike(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    of, dtype = text_of(recipe.get("of")), text_of(recipe.get("dtype"))
    kind = ALIKE[text_of(recipe.get("kind"))]
    return [Claim(RECIPE, kind, parents=(Parent(of, 1.0),), detail=dtype)] if of else None


def _extract(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    of, component = text_of(recipe.get("of")), text_of(recipe.get("component"))
    if not of or not component:
        return None
    return [Claim(RECIPE, Kind.COMPONENT_OF, component, parents=(Parent(of, 1.0),))]


def _average(recipe: Mapping[str, Any], held: Held) -> list[Claim] | None:
    of = text_of(recipe.get("of"))
    detail = "the training average (EMA) that it holds"
    return [Claim(RECIPE, Kind.OTHER, parents=(Parent(of),), detail=detail)] if of else None


FORMS: Mapping[str, Form] = {
    "weighted": _weighted,
    "block_weighted": _block_weighted,
    "add_difference": _add_difference,
    "finetune": _finetune,
    **dict.fromkeys(ALIKE, _alike),
    "extract": _extract,
    "average": _average,
}
"""By a recipe's `kind`; each returns None for what lacks a key, or has one of another form."""
