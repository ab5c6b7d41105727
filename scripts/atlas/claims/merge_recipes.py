"""`sd_merge_recipe` and `sd_merge_models`: which tool wrote them, and what it says."""

from collections.abc import Callable, Mapping
from typing import Any

from atlas.claims.chattiori import baked_loras, chattiori
from atlas.claims.claim import Claim, Held, Kind
from atlas.claims.merged_models import MergedModels
from atlas.claims.model_mixers import merge_studio, sd_model_analyzer, unknown
from atlas.claims.supermerger import supermerger
from atlas.claims.values import table_of, text_of
from atlas.claims.webui import sd_next, webui
from atlas.tensors.tensors import FileMetadata

RECIPE, MODELS = "sd_merge_recipe", "sd_merge_models"

Tool = Callable[[Mapping[str, Any], MergedModels, Held], list[Claim]]

TOOLS: Mapping[str, Tool] = {
    "webui": webui,
    "sdnext": sd_next,
    "sd-webui-supermerger": supermerger,
    "merge-models-chattiori": chattiori,
    "pluslora-chattiori": baked_loras,
    "sd-model-analyzer": sd_model_analyzer,
    "mergestudio-animamerge": merge_studio,
}
"""By what a recipe calls its type, in small letters."""


def merge_recipes(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what a file's `sd_merge_recipe` says; where a tool left it out, its models alone."""
    if RECIPE not in said.texts and MODELS not in said.texts:
        return []
    models = table_of(said.texts.get(MODELS))
    recipe = table_of(said.texts.get(RECIPE))
    if not recipe and "type" in models:
        recipe = models
    if not recipe:  # one tool keeps the recipe among the models
        recipe = table_of(models.get(RECIPE))
    if not recipe:
        if text_of(said.texts.get(RECIPE)) == "" and not models:
            return []
        cut = ", which was too long to be kept whole" if RECIPE in said.cut else ""
        return [Claim(RECIPE, Kind.OTHER, detail=f"merged, in a form that is not known{cut}")]
    tool = TOOLS.get(text_of(recipe.get("type")).casefold(), unknown)
    return tool(recipe, MergedModels(models), held)
