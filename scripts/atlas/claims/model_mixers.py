"""Recipes of smaller mergers: wkpark's model mixer, MergeStudio, and forks that tell less."""

from collections.abc import Mapping
from typing import Any

from atlas.claims.block_lists import by_label, value_of
from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.formulas import FORMULAS, formula_name, labelled
from atlas.claims.merged_models import MergedModels
from atlas.claims.sums import Part, Sum, Unclear, claims_of, merged_parts, weighted
from atlas.claims.values import list_of, table_of, text_of, weight_of, weights_of

LETTERS = "abcdefghijklmnop"
MOST_LORAS = 50


def sd_model_analyzer(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """
    Return the claims of a chain of merges: each model goes into what the ones before have become.

    `sum` is (1 − α) R + α M, and `add` R + α (M − base). Models are named by their files.
    """
    source = "sd_merge_recipe sd-model-analyzer"
    parents = [
        parent
        for letter in LETTERS
        if (parent := models.parent(recipe.get(f"model_{letter}"))) is not None
    ]
    formula = text_of(recipe.get("model_recipe"))
    base = models.parent(recipe.get("model_base"))
    lists = list_of(recipe.get("weights_alpha"))
    steps = [weights_of(each) for each in lists[: len(LETTERS)]]
    modes = [formula_name(text_of(each)) for each in list_of(recipe.get("mode"))[: len(LETTERS)]]
    labels = [_labels(each) for each in steps]
    fits = len(parents) == len(labels) + 1 == len(modes) + 1 and all(labels)
    if not fits or not set(modes) <= {"weightedsum", "add"} or ("add" in modes and not base):
        unclear = Unclear("a chain of merges in a form that is not known", tuple(parents))
        return claims_of(source, dict.fromkeys(merged_parts(held), unclear), formula)
    known = held if held.blocks else labelled(labels[0])
    parts: dict[Part, Sum | Unclear] = {}
    for part in merged_parts(known):
        alphas = [_weight(*part, known, each) for each in labels]
        parts[part] = _chained(parents, modes, alphas, base)
    return claims_of(source, parts, formula)


def merge_studio(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """Return the claims of MergeStudio, of whose models the counts of blocks may differ."""
    source = "sd_merge_recipe MergeStudio"
    parents = models.all()
    mode = text_of(recipe.get("interp_method"))
    moved = table_of(recipe.get("anima_remap"))
    if any(moved.get(key) for key in ("merged_blocks", "inserted_blocks")):
        found: Sum | Unclear = Unclear(f"{mode} of models of several lengths", parents)
    elif formula_name(mode) in FORMULAS:
        # hashes have no order: which of the models is A is not told
        found = Unclear(f"{mode}, multiplier {text_of(recipe.get('multiplier'))}", parents)
    else:
        found = Unclear(mode or "no mode", parents)
    loras = [
        Parent(name, weight_of(table_of(each).get("strength")))
        for each in list_of(recipe.get("baked_loras"))[:MOST_LORAS]
        if (name := text_of(table_of(each).get("name")))
    ]
    claims = claims_of(source, dict.fromkeys(merged_parts(held), found))
    return [*claims, *([Claim(source, Kind.LORA, parents=tuple(loras))] if loras else [])]


def unknown(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """Return the claim of a tool that is not known: that there was a merge, and what of."""
    told = [
        parent
        for key in sorted(recipe)[:100]
        if ("model" in key or key.endswith("_hash"))
        and isinstance(recipe[key], str)
        and (parent := models.parent(recipe[key])) is not None
    ]
    known = tuple(dict.fromkeys([*models.all(), *told]))[:MOST_LORAS]
    kind = text_of(recipe.get("type")) or "a tool that is not named"
    return [Claim("sd_merge_recipe", Kind.OTHER, parents=known, detail=f"merged by {kind}")]


def _labels(weights: list[float] | None) -> Mapping[str, float]:
    if weights is None:
        return {}
    return {"": weights[0]} if len(weights) == 1 else by_label(weights) or {}


def _weight(component: str, block: str, held: Held, labels: Mapping[str, float]) -> float | None:
    return labels[""] if "" in labels else value_of(component, block, held, labels)


def _chained(
    parents: list[Parent], modes: list[str], alphas: list[float | None], base: Parent | None
) -> Sum | Unclear:
    result: Sum = {parents[0]: 1.0}
    for parent, mode, alpha in zip(parents[1:], modes, alphas, strict=True):
        if alpha is None:
            return Unclear("a block without a weight", tuple(parents))
        if mode == "add" and base:
            result = weighted((1, result), (alpha, {parent: 1.0}), (-alpha, {base: 1.0}))
        else:
            result = weighted((1 - alpha, result), (alpha, {parent: 1.0}))
    return result
