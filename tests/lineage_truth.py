"""What recipes and lineage must say of the demo's models, as the roster tells how they are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

ROSTER = Path(__file__).parents[1] / "config" / "roster.yaml"
MODELS = yaml.safe_load(ROSTER.read_text())["models"]
OUTSIDE = ("time_embedding", "label_embedding", "conv_norm_out", "conv_out")
"""Blocks of a UNet that no merge-block-weight names: the roster's `outside`."""
PLAIN = ("terrain-041", "terrain-042", "terrain-tuned", "digits", "digits-full", "digits-mirrored")
"""Models that were trained: of their UNet no sum of others is a recipe."""

Weights = dict[str, float]


def planted_sum(model: str) -> Weights:
    """Return parent to weight of a merge that has the same everywhere."""
    recipe = MODELS[model]["recipe"]
    if recipe["kind"] == "weighted":
        return dict(recipe["parents"])
    alpha = recipe["alpha"]
    return {recipe["base"]: 1.0, recipe["plus"]: alpha, recipe["minus"]: -alpha}


def planted_share(model: str, block: str) -> float:
    """Return the second parent's weight in a block of a merge by block."""
    ratios: Mapping[str, float] = MODELS[model]["recipe"]["ratios"]
    return ratios["outside" if block in OUTSIDE else block]


def rows_of(groups: Path, group: str, model: str, component: str = "unet") -> pd.DataFrame:
    """Return what recipes.csv has of a model's component."""
    frame = pd.read_csv(groups / group / "recipes.csv", dtype={"block": str})
    return frame[(frame["target"] == model) & (frame["component"] == component)]


def found_weights(rows: pd.DataFrame, block: str) -> Weights:
    """Return parent to weight of a block, '*' for the whole."""
    own = rows[(rows["block"] == block) & rows["weight"].notna()]
    return dict(zip(own["parent"], own["weight"], strict=True))


EDGES = {
    "terrain": {
        ("terrain-041", "terrain-042"): "fine-tune",
        ("terrain-041", "terrain-tuned"): "fine-tune",
        ("terrain-041", "terrain-copy"): "copy",
        ("terrain-042", "terrain-half"): "cast",
        ("terrain-042", "terrain-renamed"): "rename",
        ("terrain-041", "terrain-merge"): "merge",
        ("terrain-042", "terrain-merge"): "merge",
        ("terrain-041", "terrain-block-merge"): "merge",
        ("terrain-042", "terrain-block-merge"): "merge",
        ("terrain-041", "terrain-add-difference"): "merge",
        ("terrain-042", "terrain-add-difference"): "merge",
        ("terrain-tuned", "terrain-add-difference"): "merge",
    },
    "digits": {
        ("digits-full", "digits"): "prune",
        ("digits-full", "digits-pruned"): "prune",
        ("digits", "digits-vae"): "prune",
        ("digits", "digits-diffusers"): "copy",
        ("digits", "digits-novel"): "rename",
        ("digits", "digits-f16"): "cast",
        ("digits", "digits-bf16"): "cast",
        ("digits", "digits-mirrored"): "fine-tune",
        ("digits", "digits-captioned"): "fine-tune",
        ("digits", "digits-decoder"): "fine-tune",
        ("digits", "digits-exchanged"): "fine-tune",
        ("digits-mirrored", "digits-merge"): "merge",
        ("digits-captioned", "digits-merge"): "merge",
        ("digits", "digits-block-merge"): "merge",
        ("digits-mirrored", "digits-block-merge"): "merge",
    },
}
"""Group to (parent, child) to the kind of what happened between them: all of it, and no more."""


def edges(groups: Path, group: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (parent, child) to an edge of the lineage."""
    lineage = json.loads((groups / group / "lineage.json").read_text())
    return {(edge["parent"], edge["child"]): edge for edge in lineage["edges"]}
