"""Recipes of supermerger (scripts/mergers/mergers.py) and of merge managers after it."""

from collections.abc import Mapping
from typing import Any

from atlas.claims.claim import Claim, Held
from atlas.claims.formulas import by_block, labels_of, sum_of
from atlas.claims.merged_models import MergedModels
from atlas.claims.sums import Part, Sum, Unclear, claims_of, merged_parts
from atlas.claims.values import list_of, text_of, weight_of, weights_of
from atlas.claims.webui import parents_of

SOURCE = "sd_merge_recipe supermerger"
MODELS = ("model_a", "model_b", "model_c")
LINEAR = ("", "normal")
"""Ways to calculate that are the formula alone."""


def supermerger(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """
    Return the claims of a merge, by block where the recipe is.

    BASE are the text encoders and the VAE, the embeddings of time and sizes go with IN00, and what
    leads out with the last block. Blocks that are excluded stay A's.
    """
    parents = parents_of(recipe, models, MODELS)
    mode = text_of(recipe.get("mode"))
    calculated = text_of(recipe.get("calcmode"))
    known = tuple(parent for parent in parents if parent)
    if calculated.casefold() not in LINEAR:
        unclear = Unclear(f"{mode}, calculated by {calculated}: no sum of weights", known)
        return claims_of(SOURCE, dict.fromkeys(merged_parts(held), unclear), _words(recipe))
    alpha, beta = (_labels(recipe, name) for name in ("alpha", "beta"))
    if recipe.get("mbw") is not True:
        bases = [weight_of(recipe.get(f"base_{name}")) for name in ("alpha", "beta")]
        whole = sum_of(mode, parents, *bases)
        parts: dict[Part, Sum | Unclear] = dict.fromkeys(merged_parts(held), whole)
    elif alpha:
        kept = dict.fromkeys(_kept_labels(recipe, alpha), 0.0)
        parts = by_block(mode, parents, {**alpha, **kept}, {**beta, **kept} if beta else {}, held)
    else:
        unclear = Unclear(f"{mode} by block, in a list of a length that is not known", known)
        parts = dict.fromkeys(merged_parts(held), unclear)
    return claims_of(SOURCE, parts, _words(recipe))


def _labels(recipe: Mapping[str, Any], name: str) -> Mapping[str, float]:
    """Return weights by label: from the list that includes BASE, else from that without it."""
    whole = weights_of(recipe.get(f"weights_{name}_orig"))
    base = weight_of(recipe.get(f"base_{name}"))
    told = labels_of(whole, None) or labels_of(weights_of(recipe.get(f"weights_{name}")), base)
    # the tool merges BASE by its own number, whatever the list says
    return {**told, "BASE": base} if "BASE" in told and base is not None else told


def _kept_labels(recipe: Mapping[str, Any], labels: Mapping[str, float]) -> set[str]:
    """Return the labels of blocks that stay A's; parts of blocks that do are told in words."""
    included, excluded = _names(recipe, "Include"), _names(recipe, "Exclude")
    if included:
        return {label for label in labels if label not in included}
    return {label for label in (*labels, "VAE") if label in excluded}


def _names(recipe: Mapping[str, Any], key: str) -> list[str]:
    return [name for each in list_of(recipe.get(key))[:200] if (name := text_of(each))]


def _words(recipe: Mapping[str, Any]) -> str:
    rules = _names(recipe, "elemental_merge")
    told = [f"other weights for single tensors: {', '.join(rules[:5])}"] if rules else []
    told += [
        f"{verb} {', '.join(names)}"
        for key, verb in (("Include", "only"), ("Exclude", "without"))
        if (names := _names(recipe, key)[:20])
    ]
    return "; ".join(told)
