"""Checkpoints of one component, their fingerprints, and recipes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from atlas.fingerprints.renamings import Renamings
from atlas.proofs.holdings import Holdings
from atlas.proofs.parts import Recipe
from atlas.recipes.tables import WHOLE
from measured import fingerprints

SHAPES = {"unet/a": (64, 64), "unet/b": (300,), "unet/c": (8, 16, 9)}


def weights(seed: int, near: dict[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """Return float32 weights; near others where these are given."""
    generator = np.random.default_rng(seed)
    drawn = {
        name: (0.05 * generator.standard_normal(shape)).astype(np.float32)
        for name, shape in SHAPES.items()
    }
    return drawn if near is None else {name: near[name] + drawn[name] / 5 for name in drawn}


def family() -> dict[str, dict[str, np.ndarray]]:
    """Return a base and two tunes of it."""
    base = weights(0)
    return {"base": base, "a": weights(1, base), "b": weights(2, base)}


def in_dtype(model: dict[str, np.ndarray], dtype: type) -> dict[str, np.ndarray]:
    return {name: array.astype(dtype) for name, array in model.items()}


def holdings(
    folder: Path, models: dict[str, dict[str, np.ndarray]], renamings: Renamings | None = None
) -> Holdings:
    """Write models and return what is held of them."""
    given = fingerprints(folder, models)
    tables = {table.stem: table for table in given}
    checkpoints = {model: folder / model for model in models}
    return Holdings(tables, checkpoints, renamings or Renamings())


def recipe(parents: dict[str, float], error: float = 1e-4, **settings) -> Recipe:
    """Return a recipe of the model `child`."""
    given = {
        "target": "child",
        "component": "unet",
        "block": WHOLE,
        "parents": tuple(parents),
        "weights": tuple(parents.values()),
        "errors": (error,) * len(parents),
        "alike": ((),) * len(parents),
        "deviating": {},
    }
    return Recipe(**(given | settings))
