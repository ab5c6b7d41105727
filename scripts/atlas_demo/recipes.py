"""Read the roster's recipes of the demo's relatives: what each is made from."""

from collections.abc import Mapping
from typing import Any

from atlas.basis.errors import AtlasError, nearest

PARENTS = {
    "weighted": ("parents",),
    "block_weighted": ("parents",),
    "add_difference": ("base", "plus", "minus"),
    "cast": ("of",),
    "copy": ("of",),
    "renamed": ("of",),
    "finetune": ("of",),
    "exchange": ("of",),
    "average": ("of",),
    "prune": ("of",),
    "extract": ("of",),
}
"""Kind of recipe to the keys that name parents: an id, or several in a list or mapping."""

TERRAIN = ("weighted", "block_weighted", "add_difference", "cast", "copy")
"""Kinds of the terrain's relatives that are arithmetic on the parents' weights."""

DIGITS = ("weighted", "block_weighted", "cast", "average", "prune", "extract", "renamed")
"""Kinds of the digits' relatives that take no training."""


def parents(recipe: Mapping[str, Any]) -> list[str]:
    """
    Return the ids of the models that a recipe names as parents.

    >>> parents({"kind": "weighted", "parents": {"a": 0.7, "b": 0.3}})
    ['a', 'b']

    Raises
    ------
    AtlasError
        If the kind is unknown, or a key that names parents is absent.
    """
    kind = str(recipe.get("kind"))
    if kind not in PARENTS:
        raise AtlasError(f"no recipe of the kind {kind} can be made{nearest(kind, PARENTS)}")
    absent = [key for key in PARENTS[kind] if key not in recipe]
    if absent:
        raise AtlasError(f"the {kind} recipe {recipe} lacks the key {absent[0]}")
    named = [recipe[key] for key in PARENTS[kind]]
    return [model for value in named for model in ([value] if isinstance(value, str) else value)]
