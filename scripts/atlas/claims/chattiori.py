"""Recipes of Chattiori's model merger, and of models into which it baked LoRAs."""

from collections.abc import Mapping
from typing import Any

from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.formulas import by_block, labels_of, sum_of
from atlas.claims.merged_models import MergedModels
from atlas.claims.sums import claims_of, merged_parts
from atlas.claims.values import text_of, weight_of, weights_of
from atlas.claims.webui import HASHES, parents_of

SOURCE = "sd_merge_recipe chattiori"
METHODS = {"ws": "weighted sum", "ad": "add difference", "ts": "triple sum", "st": "sum twice",
           "noin": "no interpolation"}  # fmt: skip
"""Short names of methods that are sums; the others are none."""


def chattiori(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """Return the claims of a merge; alpha and beta are numbers, or lists with commas by block."""
    parents = parents_of(recipe, models, HASHES)
    told = text_of(recipe.get("merge_method"))
    mode = METHODS.get(told.casefold(), told)
    alphas, betas = (weights_of(recipe.get(key)) for key in ("alpha_info", "beta_info"))
    if labels := labels_of(alphas, None):
        parts = by_block(mode, parents, labels, labels_of(betas, None), held)
    else:
        single = [each[0] if each and len(each) == 1 else None for each in (alphas, betas)]
        parts = dict.fromkeys(merged_parts(held), sum_of(mode, parents, single[0], single[1]))
    claims = claims_of(SOURCE, parts, text_of(recipe.get("fp")))
    if baked := text_of(recipe.get("bake_in_vae")):
        claims = [each for each in claims if each.component != "vae"]
        claims.append(Claim(SOURCE, Kind.COMPONENT_OF, "vae", parents=(Parent(baked, 1.0),)))
    return claims


def baked_loras(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """Return the claim that LoRAs were baked in: the model, then they with their strengths."""
    model = models.parent(recipe.get("checkpoint_hash"))
    hashes = text_of(recipe.get("lora_hash")).split(",")[:50]
    strengths = text_of(recipe.get("alpha_info")).split(",")
    loras = [
        Parent(name=name, weight=weight_of(strength), sha256=parent.sha256)
        for told, strength in zip(hashes, [*strengths, *[""] * len(hashes)], strict=False)
        if (name := told.strip()) and (parent := models.parent(name))
    ]
    whole = [Parent(model.name, 1.0, model.sha256, model.legacy_hash)] if model else []
    return [Claim("sd_merge_models chattiori", Kind.LORA, parents=(*whole, *loras))]
