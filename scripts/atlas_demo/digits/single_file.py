"""Read and write Stable Diffusion 1's single files, and know what is where in them."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from atlas.basis import tables

Weights = dict[str, np.ndarray]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer."
AVERAGE = "model_ema."
AVERAGE_COUNTERS = ("model_ema.decay", "model_ema.num_updates")

OUTSIDE = "outside"
"""The ratio's name for tensors in no block: time embedding, last layers, other components."""


def read(path: Path) -> Weights:
    """Return the weights of a .safetensors or .ckpt file, under its keys."""
    if path.suffix != ".ckpt":
        weights: Weights = load_file(path)
        return weights
    import torch

    state = torch.load(path, weights_only=True)["state_dict"]
    return {key: tensor.numpy() for key, tensor in state.items()}


def write(weights: Mapping[str, np.ndarray], path: Path) -> None:
    """Write a .safetensors file, or a .ckpt with the weights in `state_dict` as LDM saves them."""
    with tables.replacing(path) as partial:
        if path.suffix == ".ckpt":
            _write_pickle(weights, partial)
        else:
            contiguous = {key: np.ascontiguousarray(weights[key]) for key in sorted(weights)}
            save_file(contiguous, partial, metadata={"format": "pt"})


def average_key(key: str) -> str:
    """
    Return where LDM keeps the moving average of one of the UNet's tensors.

    LDM takes the dots off, as torch's buffers may have none in their names, and the average is one
    of `model`, so `model.` goes, too: CompVis/stable-diffusion ldm/modules/ema.py.

    >>> average_key("model.diffusion_model.input_blocks.0.0.weight")
    'model_ema.diffusion_modelinput_blocks00weight'
    """
    return AVERAGE + key.removeprefix("model.").replace(".", "")


def block_of(key: str) -> str:
    """
    Return the merge block of a key.

    >>> block_of("model.diffusion_model.input_blocks.7.1.norm.bias")
    'IN07'
    >>> block_of("first_stage_model.decoder.conv_in.bias")
    'outside'
    """
    match = re.match(rf"{re.escape(UNET)}(input|output|middle)_block(?:s\.(\d+))?\.", key)
    if match is None:
        return OUTSIDE
    return "MID" if match[2] is None else f"{match[1].removesuffix('put').upper()}{match[2]:0>2}"


def _write_pickle(weights: Mapping[str, np.ndarray], path: Path) -> None:
    import torch

    state = {key: torch.tensor(array) for key, array in weights.items()}
    # A stream and not a path, for torch would put the path's name into the archive.
    with path.open("wb") as stream:
        torch.save({"epoch": 0, "global_step": 0, "state_dict": state}, stream)
