"""What plans take for granted, beside shapes and dtypes."""

from typing import Any

from atlas.basis.shipped import load


def assumed() -> Any:
    """Return config/activations/plan.yaml."""
    return load("activations/plan")
