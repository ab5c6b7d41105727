"""Facts about the demo's packages and networks, from config/demo."""

from typing import Any

from atlas.basis.shipped import load


def wheels() -> dict[str, dict[str, str]]:
    """Return the wheels that the demo fetches: file name to requirement and sha256."""
    return dict(load("demo/wheels"))


def terrain() -> dict[str, Any]:
    """Return what is known of the terrain networks: files, configs, names of the keys."""
    return dict(load("demo/terrain"))


def digits() -> dict[str, Any]:
    """Return the digits networks' configs, and how they are trained and sampled."""
    return dict(load("demo/digits"))


def sd1_keys() -> dict[str, Any]:
    """Return where Stable Diffusion 1's single file keeps each module."""
    return dict(load("demo/sd1_keys"))
