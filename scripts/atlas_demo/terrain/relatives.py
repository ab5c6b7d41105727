"""Make relatives of known truth: merges, casts and copies, tensor by tensor."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from atlas.basis.errors import AtlasError, nearest
from atlas.recipes import merging
from atlas.recipes.merging import Weights, check_alike, weighted_sum
from atlas_demo.recipes import parents

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64}

OUTSIDE = "outside"
"""The ratio's name for tensors outside the blocks: time and label embeddings, the last layers."""


def make(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """
    Return the weights that a recipe describes.

    Sums are taken in float64 and rounded once, to the first parent's dtype.

    Parameters
    ----------
    recipe
        As in the roster: `kind` and what the kind needs, see docs/demo.md.
    models
        The parents' weights by id, under equal keys.

    Raises
    ------
    AtlasError
        If the kind is unknown, a block has no ratio, or the parents' keys or shapes differ.
    """
    check_alike({model: models[model] for model in parents(recipe)})
    if recipe["kind"] not in MAKERS:
        raise AtlasError(f"a {recipe['kind']} recipe is no arithmetic on its parents' weights")
    return MAKERS[recipe["kind"]](recipe, models)


def block_of(key: str) -> str:
    """
    Return the block of a tensor under OpenAI's keys.

    >>> [block_of(key) for key in ("input_blocks.7.0.x", "middle_block.1.x", "out.2.x")]
    ['IN07', 'MID', 'outside']
    """
    match = re.match(r"(input|output)_blocks\.(\d+)\.", key)
    if match:
        return f"{match[1].removesuffix('put').upper()}{int(match[2]):02d}"
    return "MID" if key.startswith("middle_block.") else OUTSIDE


def _block_weighted(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    return merging.block_weighted(recipe, models, block_of)


def _add_difference(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Base + alpha × (plus − minus)."""
    base, plus, minus = (models[recipe[part]] for part in ("base", "plus", "minus"))
    alpha = recipe["alpha"]
    return {
        key: weighted_sum((1, base[key]), (alpha, plus[key]), (-alpha, minus[key])) for key in base
    }


def _cast(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    dtype = recipe["dtype"]
    if dtype not in DTYPES:
        raise AtlasError(f"can't cast to {dtype}{nearest(dtype, DTYPES)}")
    return {key: array.astype(DTYPES[dtype]) for key, array in models[recipe["of"]].items()}


def _copy(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    return dict(models[recipe["of"]])


MAKERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Weights]], Weights]] = {
    "weighted": merging.weighted,
    "block_weighted": _block_weighted,
    "add_difference": _add_difference,
    "cast": _cast,
    "copy": _copy,
}


def rename(weights: Mapping[str, np.ndarray], words: Mapping[str, str]) -> Weights:
    """
    Return the weights under keys in which words were exchanged and / became a dot.

    >>> list(rename({"unet/conv_in.weight": 0}, {"unet": "net", "conv_in": "stem"}))
    ['net.stem.weight']

    Raises
    ------
    AtlasError
        If two keys became one.
    """
    keys = {
        name: ".".join(words.get(word, word) for word in re.split(r"[/.]", name))
        for name in weights
    }
    if len(set(keys.values())) < len(keys):
        raise AtlasError("the renamed words make two keys one")
    return {keys[name]: array for name, array in weights.items()}
