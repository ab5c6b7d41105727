"""Make tiny checkpoints for tests: safetensors files of named arrays, from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

Weights = dict[str, np.ndarray]

SHAPES: Mapping[str, tuple[int, ...]] = {
    "unet/conv_in.weight": (4, 2, 3, 3),
    "unet/conv_in.bias": (4,),
    "unet/down_blocks.0.resnets.0.conv1.weight": (4, 4, 3, 3),
    "unet/down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight": (4, 4),
    "unet/down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (4, 6),
    "unet/mid_block.resnets.0.norm1.weight": (4,),
    "vae/encoder.conv_in.weight": (4, 3, 3, 3),
    "vae/decoder.conv_in.weight": (4, 3, 3, 3),
    "vae/decoder.conv_in.bias": (4,),
    "text_encoder/text_model.encoder.layers.0.self_attn.q_proj.weight": (6, 6),
    "text_encoder/text_model.embeddings.token_embedding.weight": (10, 6),
}
"""Canonical names of a pocket Stable Diffusion: three components in diffusers' naming."""


def weights(seed: int, shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> Weights:
    """Return random float32 weights; the same seed gives the same."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }


def changed(base: Weights, seed: int, *prefixes: str, scale: float = 0.01) -> Weights:
    """Return a copy of which the tensors with one of the prefixes moved a little."""
    generator = np.random.default_rng(seed)
    return {
        name: value + np.float32(scale) * generator.standard_normal(value.shape).astype(np.float32)
        if not prefixes or name.startswith(prefixes)
        else value
        for name, value in base.items()
    }


def diffusers_folder(folder: Path, named: Weights) -> Path:
    """Write weights as a diffusers folder, a subfolder per component, and return it."""
    components = sorted({name.partition("/")[0] for name in named})
    for component in components:
        own = {
            name.partition("/")[2]: value
            for name, value in named.items()
            if name.startswith(component + "/")
        }
        stem = "model" if component.startswith("text_encoder") else "diffusion_pytorch_model"
        (folder / component).mkdir(parents=True, exist_ok=True)
        save_file(own, folder / component / f"{stem}.safetensors")
    entries = ", ".join(f'"{component}": ["diffusers", "X"]' for component in components)
    (folder / "model_index.json").write_text(f"{{{entries}}}")
    return folder


def single_file(path: Path, named: Mapping[str, np.ndarray]) -> Path:
    """Write weights as one safetensors file under the names given, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(named), path)
    return path
