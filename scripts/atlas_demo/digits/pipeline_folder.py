"""Write components as the folder that diffusers' StableDiffusionPipeline loads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas_demo.digits import single_file

Weights = dict[str, np.ndarray]

FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}

TEXT_PREFIX = "text_model."
"""Under which transformers keeps the text encoder on disk."""

CONSTANT = "embeddings.position_ids"
"""Of the single file; transformers no longer writes it."""


def write(components: Mapping[str, Weights], *, digits: Mapping[str, Any], folder: Path) -> None:
    """
    Write model_index.json, the scheduler's config, and config and weights of each component.

    Parameters
    ----------
    components
        `unet`, `vae` and `text_encoder` under diffusers' names.
    digits
        config/demo/digits.yaml.
    folder
        Made if absent; the tokenizer is left to the caller.
    """
    for component, weights in components.items():
        (folder / component).mkdir(parents=True, exist_ok=True)
        single_file.write(_on_disk(component, weights), folder / component / FILES[component])
        _write_json(digits["components"][component], folder / component / "config.json")
    (folder / "scheduler").mkdir(exist_ok=True)
    _write_json(digits["scheduler"], folder / "scheduler" / "scheduler_config.json")
    _write_json(_index(digits), folder / "model_index.json")


def _on_disk(component: str, weights: Weights) -> Weights:
    if component != "text_encoder":
        return weights
    return {TEXT_PREFIX + name: array for name, array in weights.items() if name != CONSTANT}


def _index(digits: Mapping[str, Any]) -> dict[str, Any]:
    """Return which class of which library reads each subfolder."""
    components = digits["components"]
    return {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", components["unet"]["_class_name"]],
        "vae": ["diffusers", components["vae"]["_class_name"]],
        "text_encoder": ["transformers", components["text_encoder"]["architectures"][0]],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", digits["scheduler"]["_class_name"]],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
    }


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
