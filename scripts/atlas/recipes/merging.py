"""Merge models tensor by tensor: weighted sums in float64, rounded once."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from atlas.basis.errors import AtlasError

Weights = dict[str, np.ndarray]


def weighted(recipe: Mapping[str, Any], models: Mapping[str, Weights]) -> Weights:
    """Return the sum of weight × parent."""
    shares = recipe["parents"]
    return {
        key: weighted_sum(*((share, models[model][key]) for model, share in shares.items()))
        for key in models[next(iter(shares))]
    }


def block_weighted(
    recipe: Mapping[str, Any], models: Mapping[str, Weights], block_of: Callable[[str], str]
) -> Weights:
    """Return (1 − ratio) × first + ratio × second, with the ratio of the tensor's block."""
    first, second = (models[model] for model in recipe["parents"])
    ratio = {key: _ratio(recipe["ratios"], block_of(key)) for key in first}
    return {
        key: weighted_sum((1 - ratio[key], first[key]), (ratio[key], second[key])) for key in first
    }


def weighted_sum(*terms: tuple[float, np.ndarray]) -> np.ndarray:
    """Return Σ factor × array in the first array's dtype; the first itself where not floating."""
    first = terms[0][1]
    if not is_floating(first):
        return first
    total = sum(factor * array.astype(np.float64) for factor, array in terms)
    return np.asarray(total).astype(first.dtype)


def is_floating(array: np.ndarray) -> bool:
    """Tell weights from counters and positions."""
    return bool(np.issubdtype(array.dtype, np.floating))


def check_alike(models: Mapping[str, Weights]) -> None:
    """
    Check that models can be merged.

    Raises
    ------
    AtlasError
        If two differ in keys or shapes.
    """
    shapes = {
        model: {key: array.shape for key, array in weights.items()}
        for model, weights in models.items()
    }
    first, *others = shapes
    for other in others:
        if shapes[other] != shapes[first]:
            raise AtlasError(f"{first} and {other} differ in keys or shapes: they can't be merged")


def _ratio(ratios: Mapping[str, float], block: str) -> float:
    if block not in ratios:
        raise AtlasError(f"the recipe has no ratio for the block {block}")
    return ratios[block]
