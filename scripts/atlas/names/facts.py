"""Facts about key layouts, from YAML."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

LAYOUTS = Path(__file__).parents[3] / "config" / "layouts"


@cache
def load(name: str) -> Any:
    """Return the contents of one file of config/layouts, read once."""
    text = (LAYOUTS / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
