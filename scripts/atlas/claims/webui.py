"""Recipes of AUTOMATIC1111's web UI, of Forge and of SD.Next: modules/extras.py and the like."""

from collections.abc import Mapping
from typing import Any

from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.formulas import by_block, labels_of, sum_of
from atlas.claims.merged_models import MergedModels
from atlas.claims.sums import claims_of, merged_parts
from atlas.claims.values import text_of, weight_of, weights_of

HASHES = ("primary_model_hash", "secondary_model_hash", "tertiary_model_hash")


def webui(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """
    Return the claims of a merge of the web UI: `multiplier` weighs B, in VAE and text encoder too.

    A VAE that was put in is its own claim.
    """
    parents = parents_of(recipe, models, HASHES)
    mode = text_of(recipe.get("interp_method"))
    found = sum_of(mode, parents, weight_of(recipe.get("multiplier")), None)
    told = [
        f"keys with {dropped} are left out"
        for dropped in [text_of(recipe.get("discard_weights"))]
        if dropped
    ]
    claims = claims_of(
        "sd_merge_recipe webui", dict.fromkeys(merged_parts(held), found), _words(recipe, *told)
    )
    baked = text_of(recipe.get("bake_in_vae"))
    if baked:
        claims = [each for each in claims if each.component != "vae"]
        claims.append(
            Claim(
                "sd_merge_recipe webui",
                Kind.COMPONENT_OF,
                "vae",
                parents=(Parent(baked, 1.0),),
                detail="a VAE that was put in",
            )
        )
    return claims


def sd_next(recipe: Mapping[str, Any], models: MergedModels, held: Held) -> list[Claim]:
    """Return the claims of a merge of SD.Next: one alpha and beta, or lists of them by block."""
    source = "sd_merge_recipe SDNext"
    parents = parents_of(recipe, models, HASHES)
    mode = text_of(recipe.get("merge_mode"))
    alphas, betas = weights_of(recipe.get("alpha")), weights_of(recipe.get("beta"))
    if labels := labels_of(alphas, None):
        parts = by_block(mode, parents, labels, labels_of(betas, None), held)
    else:
        single = [each[0] if each and len(each) == 1 else None for each in (alphas, betas)]
        parts = dict.fromkeys(merged_parts(held), sum_of(mode, parents, single[0], single[1]))
    return claims_of(source, parts, text_of(recipe.get("precision")))


def parents_of(
    recipe: Mapping[str, Any], models: MergedModels, keys: tuple[str, ...]
) -> tuple[Parent | None, ...]:
    """Return A, B and C as a recipe's keys name them; None for one that is not told."""
    return tuple(models.parent(recipe.get(key)) for key in keys)


def _words(recipe: Mapping[str, Any], *told: str) -> str:
    dtypes = text_of(recipe.get("save_as")) or ("f16" if recipe.get("save_as_half") is True else "")
    return "; ".join(filter(None, [f"saved as {dtypes}" if dtypes else "", *told]))
