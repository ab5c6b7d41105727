"""Facts about the demo's packages and networks, read from config/demo."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "config" / "demo"


@cache
def wheels() -> dict[str, dict[str, str]]:
    """Return the wheels that the demo fetches: file name to requirement and sha256."""
    return _read("wheels")


@cache
def terrain() -> dict[str, Any]:
    """Return what is known of the terrain networks: files, configs, names of the keys."""
    return _read("terrain")


def _read(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return facts
