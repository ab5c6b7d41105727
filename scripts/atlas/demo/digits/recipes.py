"""Read the roster's recipes of the digits models: what each is made from, by which kind of rule."""

from collections.abc import Mapping
from typing import Any

COMPUTED = ("weighted", "block_weighted", "cast", "average", "prune", "extract", "renamed")
"""Kinds that take no training; relatives.py makes them."""


def parents_of(recipe: Mapping[str, Any]) -> list[str]:
    """
    Return the ids of the models that a recipe names as parents.

    >>> parents_of({"kind": "weighted", "parents": {"a": 0.7, "b": 0.3}})
    ['a', 'b']
    """
    return [recipe["of"]] if "of" in recipe else list(recipe["parents"])
