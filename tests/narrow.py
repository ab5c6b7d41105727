"""
Narrow models with the names of published ones: their weights, how they are saved and read.

Names are diffusers' own; the layouts of original files are written by originals.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from atlas.checkpoint import ITEM_BYTES, Checkpoint, Tensor

Weights = dict[str, np.ndarray]

FACTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
UNETS: Mapping[str, dict[str, Any]] = FACTS["unets"]
ADM: dict[str, Any] = FACTS["adm"]
VAE: dict[str, Any] = FACTS["vae"]
TRANSFORMERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    layout: (facts["class"], facts["config"]) for layout, facts in FACTS["transformers"].items()
}
"""Layout to diffusers' class and a small configuration."""

WIDTH = 32
"""Of the transformers; Lumina 2's is 48."""


def module_shapes(class_name: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a model of diffusers."""
    import diffusers
    import torch

    with torch.device("meta"):
        model = getattr(diffusers, class_name).from_config(dict(config))
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def text_shapes(layers: int, width: int, *, projected: bool) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of CLIP's text encoder as published folders have them."""
    table = {
        "text_model.embeddings.token_embedding.weight": (40, width),
        "text_model.embeddings.position_embedding.weight": (7, width),
        "text_model.final_layer_norm.weight": (width,),
        "text_model.final_layer_norm.bias": (width,),
    }
    for layer in range(layers):
        prefix = f"text_model.encoder.layers.{layer}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            table[f"{prefix}.self_attn.{name}.weight"] = (width, width)
            table[f"{prefix}.self_attn.{name}.bias"] = (width,)
        for name in ("layer_norm1", "layer_norm2"):
            table[f"{prefix}.{name}.weight"] = table[f"{prefix}.{name}.bias"] = (width,)
        table |= {
            f"{prefix}.mlp.fc1.weight": (4 * width, width),
            f"{prefix}.mlp.fc1.bias": (4 * width,),
        }
        table |= {
            f"{prefix}.mlp.fc2.weight": (width, 4 * width),
            f"{prefix}.mlp.fc2.bias": (width,),
        }
    return table | ({"text_projection.weight": (width, width)} if projected else {})


def t5_shapes(layers: int, width: int) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of T5's encoder as published folders have them."""
    heads = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    table = {"shared.weight": (40, width), heads: (8, 2)}
    for block in range(layers):
        first, second = (f"encoder.block.{block}.layer.{number}" for number in (0, 1))
        table |= {f"{first}.SelfAttention.{name}.weight": (width, width) for name in "qkvo"}
        table |= {f"{layer}.layer_norm.weight": (width,) for layer in (first, second)}
        table |= {
            f"{second}.DenseReluDense.{name}.weight": (2 * width, width)
            for name in ("wi_0", "wi_1")
        }
        table[f"{second}.DenseReluDense.wo.weight"] = (width, 2 * width)
    return table | {"encoder.final_layer_norm.weight": (width,)}


def weights(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> Weights:
    """Return random float32 weights."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }


@cache
def stable_diffusion(version: str, seed: int = 0) -> dict[str, Weights]:
    """Return a narrow Stable Diffusion by component, in diffusers' naming."""
    shapes = {
        "unet": module_shapes("UNet2DConditionModel", UNETS[version]),
        "vae": module_shapes("AutoencoderKL", VAE),
        "text_encoder": text_shapes(3, 16, projected=False),
    }
    if version == "sdxl":
        shapes["text_encoder_2"] = text_shapes(4, 20, projected=True)
    return {name: weights(table, seed + n) for n, (name, table) in enumerate(shapes.items())}


def surprises(opened: Checkpoint) -> list[str]:
    """Return what was noticed besides that the model is a narrow one."""
    return [finding for finding in opened.findings if ": built like " not in finding]


def values(tensor: Tensor) -> np.ndarray:
    """Return a tensor's elements, read the slow and obvious way, as unsigned integers."""
    files = {part.file: part.file.read_bytes() for part in tensor.parts}
    return _values_in(files, tensor)


def all_values(opened: Checkpoint) -> dict[str, np.ndarray]:
    """Return the elements of all tensors by name."""
    files = {file: file.read_bytes() for file in opened.files}
    return {tensor.name: _values_in(files, tensor) for tensor in opened.tensors}


def _values_in(files: Mapping[Path, bytes], tensor: Tensor) -> np.ndarray:
    kinds = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
    size = ITEM_BYTES[tensor.dtype]
    pieces = []
    for part in tensor.parts:
        strides = part.strides or tuple(
            prod(part.shape[axis + 1 :]) for axis in range(len(part.shape))
        )
        reach = sum((n - 1) * step for n, step in zip(part.shape, strides, strict=True))
        count = reach + 1 if prod(part.shape) else 0
        flat = np.frombuffer(files[part.file], kinds[size], count, part.offset)
        steps = [stride * size for stride in strides]
        pieces.append(np.lib.stride_tricks.as_strided(flat, part.shape, steps).reshape(-1))
    return np.concatenate(pieces).reshape(tensor.shape)


def save(path: Path, named: Mapping[str, np.ndarray]) -> Path:
    """Write a safetensors file and return its path."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: np.ascontiguousarray(value) for key, value in named.items()}, path)
    return path


def folder(path: Path, components: Mapping[str, Weights]) -> Path:
    """Write components as a diffusers folder and return it."""
    for component, named in components.items():
        stem = "model" if component.startswith("text") else "diffusion_pytorch_model"
        save(path / component / f"{stem}.safetensors", named)
    (path / "model_index.json").write_text("{}")
    return path


def shards(path: Path, named: Weights, count: int = 3) -> Path:
    """Write a sharded set with its index and return the index."""
    keys = sorted(named)
    weight_map = {}
    for number in range(count):
        name = f"model-{number + 1:05d}-of-{count:05d}.safetensors"
        own = {key: named[key] for key in keys[number::count]}
        save(path / name, own)
        weight_map |= dict.fromkeys(own, name)
    index = path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return index
