"""Facts about the digits models, read from config/demo."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[4] / "config" / "demo"


@cache
def digits() -> dict[str, Any]:
    """Return the networks' configs, and how they are trained and sampled."""
    return _read("digits")


@cache
def sd1_keys() -> dict[str, Any]:
    """Return where Stable Diffusion 1's single file keeps each module."""
    return _read("sd1_keys")


def _read(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return facts
