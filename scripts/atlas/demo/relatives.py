"""Make relatives of known truth: merges, casts and copies, tensor by tensor."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from atlas.demo.recipes import parents
from atlas.errors import AtlasError, nearest

Weights = dict[str, np.ndarray]

DTYPES = {"f16": np.float16, "f32": np.float32, "f64": np.float64}

OUTSIDE = "outside"
"""The ratio's name for tensors outside the blocks: time and label embeddings, the last layers."""


def make(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
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
    _check_alike({model: models[model] for model in parents(recipe)})
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


def _weighted(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Sum of weight × parent."""
    shares = recipe["parents"]
    first = models[next(iter(shares))]
    return {
        key: _sum(*((share, models[model][key]) for model, share in shares.items()))
        for key in first
    }


def _block_weighted(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
    """(1 − ratio) × first + ratio × second, with the ratio of the tensor's block."""
    first, second = (models[model] for model in recipe["parents"])
    ratio = {key: _ratio(recipe["ratios"], block_of(key)) for key in first}
    return {key: _sum((1 - ratio[key], first[key]), (ratio[key], second[key])) for key in first}


def _add_difference(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Base + alpha × (plus − minus)."""
    base, plus, minus = (models[recipe[part]] for part in ("base", "plus", "minus"))
    alpha = recipe["alpha"]
    return {key: _sum((1, base[key]), (alpha, plus[key]), (-alpha, minus[key])) for key in base}


def _cast(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
    dtype = recipe["dtype"]
    if dtype not in DTYPES:
        raise AtlasError(f"can't cast to {dtype}{nearest(dtype, DTYPES)}")
    return {key: array.astype(DTYPES[dtype]) for key, array in models[recipe["of"]].items()}


def _copy(recipe: dict[str, Any], models: Mapping[str, Weights]) -> Weights:
    return dict(models[recipe["of"]])


MAKERS: dict[str, Callable[[dict[str, Any], Mapping[str, Weights]], Weights]] = {
    "weighted": _weighted,
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


def _sum(*terms: tuple[float, np.ndarray]) -> np.ndarray:
    """Return Σ factor × array, summed in float64."""
    total = sum(factor * array.astype(np.float64) for factor, array in terms)
    return np.asarray(total).astype(terms[0][1].dtype)


def _ratio(ratios: Mapping[str, float], block: str) -> float:
    if block not in ratios:
        raise AtlasError(f"the recipe has no ratio for the block {block}")
    return ratios[block]


def _check_alike(models: Mapping[str, Weights]) -> None:
    shapes = {
        model: {key: array.shape for key, array in weights.items()}
        for model, weights in models.items()
    }
    first, *others = shapes
    for other in others:
        if shapes[other] != shapes[first]:
            raise AtlasError(f"{first} and {other} differ in keys or shapes: they can't be merged")
