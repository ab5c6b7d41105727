"""Facts that ship with the workflow: the YAML files below config/."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).parents[3] / "config"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C loader, where PyYAML has it, takes a tenth of the time."""


@cache
def load(name: str) -> Any:
    """Return the contents of `config/{name}.yaml`, read once."""
    return yaml.load((CONFIG / f"{name}.yaml").read_text(encoding="utf-8"), Loader=LOADER)
