"""Make relatives of known truth of a Stable Diffusion 1 in a single file."""

from collections.abc import Callable, Mapping
from typing import Any

import ml_dtypes
import numpy as np

from atlas.basis.errors import AtlasError, nearest
from atlas.recipes import merging
from atlas.recipes.merging import Weights
from atlas_demo.digits import single_file

DTYPES = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}

PREFIXES = {"unet": single_file.UNET, "vae": single_file.VAE, "text_encoder": single_file.TEXT}


def make(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """
    Return the weights that a recipe describes.

    Sums are taken in float64 and rounded once. What is not floating (position_ids) is the first
    parent's.

    Parameters
    ----------
    recipe
        As in the roster: `kind` and what the kind needs, see docs/demo_digits.md.
    models
        The parents' weights by id, under LDM's keys.

    Raises
    ------
    AtlasError
        If the kind is unknown, a block has no ratio, or parents that are merged differ in keys or
        shapes.
    """
    kind = str(recipe["kind"])
    if kind not in MAKERS:
        raise AtlasError(f"no digits model is computed by the kind {kind}{nearest(kind, MAKERS)}")
    if "parents" in recipe:
        merging.check_alike({model: models[model] for model in recipe["parents"]})
    return MAKERS[kind](recipe, models)


def _block_weighted(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    return merging.block_weighted(recipe, models, single_file.block_of)


def _cast(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    dtype = recipe["dtype"]
    if dtype not in DTYPES:
        raise AtlasError(f"can't cast to {dtype}{nearest(dtype, DTYPES)}")
    return {
        key: array.astype(DTYPES[dtype]) if merging.is_floating(array) else array
        for key, array in models[recipe["of"]].items()
    }


def _average(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Put the UNet's moving average in its place; the schedules and counters go."""
    full = models[recipe["of"]]
    return {
        key: full[single_file.average_key(key)] if key.startswith(single_file.UNET) else array
        for key, array in full.items()
        if key.startswith(tuple(PREFIXES.values()))
    }


def _prune(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Drop the moving average; its two counters stay, as in the pruned files that people have."""
    return {
        key: array
        for key, array in models[recipe["of"]].items()
        if not key.startswith(single_file.AVERAGE) or key in single_file.AVERAGE_COUNTERS
    }


def _extract(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """One component alone, without its prefix, as VAE files are shared."""
    prefix = PREFIXES[recipe["component"]]
    own = models[recipe["of"]].items()
    return {key.removeprefix(prefix): array for key, array in own if key.startswith(prefix)}


def _rename(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Name the text encoder as NovelAI's leaked files and old transformers do: no text_model."""
    whole, short = f"{single_file.TEXT}text_model.", single_file.TEXT
    renamed = models[recipe["of"]].items()
    return {
        short + key.removeprefix(whole) if key.startswith(whole) else key: array
        for key, array in renamed
    }


Maker = Callable[[Mapping[str, Any], Mapping[str, Weights]], Weights]

MAKERS: dict[str, Maker] = {
    "weighted": merging.weighted,
    "block_weighted": _block_weighted,
    "cast": _cast,
    "average": _average,
    "prune": _prune,
    "extract": _extract,
    "renamed": _rename,
}
