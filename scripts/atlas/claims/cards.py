"""What documents say: ModelSpec's keys, model cards, configurations, mergekit's settings."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from atlas.claims.claim import WHOLE, Claim, Held, Kind, Parent
from atlas.claims.sums import Sum, Unclear, claims_of, weighted
from atlas.claims.values import from_yaml, list_of, number_of, table_of, text_of, weight_of
from atlas.tensors.tensors import FileMetadata

MERGED_FROM = "modelspec.merged_from"
FRONT_MATTER = "front_matter"
MERGEKIT = "mergekit_config.yml"
NAME = "_name_or_path"
MOST_PARENTS = 50
RELATIONS = {
    "finetune": Kind.FINE_TUNE,
    "merge": Kind.WEIGHTED_SUM,
    "quantized": Kind.CAST,
    "adapter": Kind.LORA,
}
"""What a model card's `base_model_relation` may say."""


def modelspec(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what ModelSpec's `merged_from` says: titles with commas between them, no weights."""
    titles = [text_of(each) for each in said.texts.get(MERGED_FROM, "").split(",")]
    parents = tuple(Parent(title) for title in titles[:MOST_PARENTS] if title)
    if not parents:
        return []
    title = text_of(said.texts.get("modelspec.title"))
    return [Claim("modelspec", Kind.WEIGHTED_SUM, parents=parents, detail=title)]


def model_card(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what the facts at the start of a model card say of its base."""
    facts = from_yaml(said.texts.get(FRONT_MATTER, ""))
    if not isinstance(facts, dict):
        return []
    told = facts.get("base_model")
    names = [text_of(each) for each in (told if isinstance(told, list) else [told])[:MOST_PARENTS]]
    parents = tuple(Parent(name) for name in names if name)
    if not parents:
        return []
    relation = text_of(facts.get("base_model_relation")).casefold()
    other = Kind.WEIGHTED_SUM if len(parents) > 1 else Kind.FINE_TUNE
    return [Claim("model card", RELATIONS.get(relation, other), parents=parents, detail=relation)]


def configuration(said: FileMetadata, held: Held) -> list[Claim]:
    """Return from where a component was loaded before it was saved: often a path of someone's."""
    path = text_of(said.texts.get(NAME)).replace("\\", "/").rstrip("/")
    if said.component and PurePosixPath(path).name == said.component:
        path = path.removesuffix(said.component).rstrip("/")
    if not path or path in (".", "/"):
        return []
    component = said.component or WHOLE
    detail = "loaded from it before it was saved"
    return [
        Claim("configuration", Kind.FINE_TUNE, component, parents=(Parent(path),), detail=detail)
    ]


def mergekit(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what mergekit's settings say: weights of `linear` and of `task_arithmetic`."""
    if MERGEKIT not in said.texts:
        return []
    settings = table_of(from_yaml(said.texts[MERGEKIT]))
    method = text_of(settings.get("merge_method"))
    models = [
        each for told in list_of(settings.get("models"))[:MOST_PARENTS] if (each := table_of(told))
    ]
    base = _model(settings.get("base_model"))
    terms = [(parent, each) for each in models if (parent := _model(each.get("model")))]
    known = tuple(dict.fromkeys([*([base] if base else []), *(parent for parent, _ in terms)]))
    found = _sum(method, settings, base, terms) if "slices" not in settings else None
    words = f"{method or 'a method that is not told'} of mergekit"
    part = (WHOLE, WHOLE)
    return claims_of("mergekit", {part: Unclear(words, known) if found is None else found}, method)


Terms = list[tuple[Parent, Mapping[str, Any]]]


def _sum(method: str, settings: Mapping[str, Any], base: Parent | None, terms: Terms) -> Sum | None:
    """Return the sum of a method that is one; None for others, and for weights by layer."""
    common = table_of(settings.get("parameters"))
    told = [
        weight_of(table_of(each.get("parameters")).get("weight", common.get("weight", 1.0)))
        for _, each in terms
    ]
    weights = [weight for weight in told if weight is not None]
    if not terms or len(weights) < len(terms):
        return None
    sums: list[tuple[float, Sum]] = [
        (weight, {parent: 1.0}) for weight, (parent, _) in zip(weights, terms, strict=True)
    ]
    total = sum(weights)
    if method == "linear":
        if common.get("normalize", True) is not True:
            return weighted(*sums)
        return weighted(*((weight / total, each) for weight, each in sums)) if total else None
    if method == "task_arithmetic" and base:
        scale = number_of(common.get("lambda", 1.0))
        if scale is None or common.get("normalize", False) is not False:
            return None
        scaled = [(scale * weight, each) for weight, each in sums]
        return weighted((1 - scale * total, {base: 1.0}), *scaled)
    return None


def _model(told: Any) -> Parent | None:
    """Return a model that is named by a text, or by a table with its path."""
    name = text_of(told) or text_of(table_of(table_of(told).get("model")).get("path"))
    name = name or text_of(table_of(told).get("path"))
    return Parent(name) if name else None
