"""Write weights under canonical names as a diffusers folder: a subfolder for each component."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

WEIGHTS = "diffusion_pytorch_model.safetensors"


def write(
    weights: Mapping[str, np.ndarray], *, components: Mapping[str, Mapping[str, Any]], folder: Path
) -> None:
    """
    Write model_index.json, and config.json and weights of each component.

    Parameters
    ----------
    weights
        Arrays under canonical names, such as unet/conv_in.weight.
    components
        Component to its config; `_class_name` is the class in diffusers.
    folder
        Made if absent.
    """
    for component, config in components.items():
        (folder / component).mkdir(parents=True, exist_ok=True)
        own = {
            name.removeprefix(f"{component}/"): np.ascontiguousarray(array)
            for name, array in weights.items()
            if name.startswith(f"{component}/")
        }
        save_file(own, folder / component / WEIGHTS, metadata={"format": "pt"})
        _write_json(config, folder / component / "config.json")
    index = {
        component: ["diffusers", config["_class_name"]] for component, config in components.items()
    }
    _write_json({"_class_name": "DiffusionPipeline"} | index, folder / "model_index.json")


def _write_json(content: Mapping[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
