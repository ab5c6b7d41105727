"""The tensors that modules are given and give, in whatever form they come."""

from collections.abc import Mapping
from typing import Any

import torch

from atlas.basis.errors import AtlasError


def first_tensor(value: Any, element: int) -> torch.Tensor:
    """
    Return the tensor that a module's output is, or has at a place.

    Raises
    ------
    AtlasError
        The output holds no tensor there.
    """
    if isinstance(value, torch.Tensor):
        return value
    parts = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(parts, list | tuple) and len(parts) > element:
        return first_tensor(parts[element], 0)
    raise AtlasError(f"a layer's output is a {type(value).__name__} without a tensor to keep")


def input_tensor(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> torch.Tensor | None:
    """Return what a module is given to work on: its first argument, or `hidden_states`."""
    given = args[0] if args else kwargs.get("hidden_states")
    return given if isinstance(given, torch.Tensor) else None
