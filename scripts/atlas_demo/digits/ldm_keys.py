"""Rename weights between diffusers' components and Stable Diffusion 1's single file."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from atlas.basis.errors import AtlasError

Weights = dict[str, np.ndarray]


def to_ldm(components: Mapping[str, Weights], keys: Mapping[str, Any]) -> Weights:
    """
    Return the components' weights in one, under LDM's keys.

    Parameters
    ----------
    components
        `unet`, `vae`, `text_encoder` or some of them, each under diffusers' names.
    keys
        As in config/demo/sd1_keys.yaml.

    Raises
    ------
    AtlasError
        If a name has no place in the layout.
    """
    single: Weights = {}
    for component, weights in components.items():
        rules = keys[component]
        for name, array in weights.items():
            key = _rename(name, rules["modules"], rules["inside"])
            if array.ndim == 2 and _is_convolution(key, rules):
                array = array[:, :, None, None]
            single[keys["prefixes"][component] + key] = array
    return single


def from_ldm(single: Mapping[str, np.ndarray], keys: Mapping[str, Any]) -> dict[str, Weights]:
    """
    Return each component's weights under diffusers' names; what belongs to none is left out.

    Raises
    ------
    AtlasError
        If a key below a component's prefix has no place in the layout.
    """
    components: dict[str, Weights] = {}
    for component, prefix in keys["prefixes"].items():
        rules = keys[component]
        modules, inside = _inverse(rules["modules"]), _inverse(rules["inside"])
        own = {key.removeprefix(prefix): key for key in single if key.startswith(prefix)}
        components[component] = {}
        for key, full in own.items():
            array = single[full]
            if _is_convolution(key, rules):
                array = array.reshape(array.shape[:2])
            components[component][_rename(key, modules, inside)] = array
    return components


def _rename(name: str, modules: Mapping[str, str], inside: Mapping[str, str]) -> str:
    """Exchange the module that a name begins with, and what follows within it."""
    words = name.split(".")
    for count in range(len(words) - 1, 0, -1):
        module, rest = ".".join(words[:count]), ".".join(words[count:])
        if module in modules:
            return f"{modules[module]}.{_rename_inside(rest, inside)}"
    raise AtlasError(f"{name} has no place in the layout of Stable Diffusion 1")


def _rename_inside(rest: str, inside: Mapping[str, str]) -> str:
    """Exchange what stands before .weight or .bias, if it is one of the modules inside."""
    module, _, kind = rest.rpartition(".")
    return f"{inside[module]}.{kind}" if module in inside else rest


def _is_convolution(key: str, rules: Mapping[str, Any]) -> bool:
    return any(key.endswith(f".{end}") for end in rules.get("convolutions", ()))


def _inverse(table: Mapping[str, str]) -> dict[str, str]:
    return {value: key for key, value in table.items()}
