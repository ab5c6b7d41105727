"""The three networks as diffusers and transformers have them, by the component's name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

CONSTANTS = {"embeddings.position_ids"}
"""Buffers of Stable Diffusion 1 that transformers no longer keeps among the weights."""


def build(component: str, config: Mapping[str, Any]) -> nn.Module:
    """
    Return a component with fresh weights, drawn from torch's generator.

    Parameters
    ----------
    component
        `unet`, `vae` or `text_encoder`.
    config
        As in config/demo/digits.yaml.
    """
    if component == "text_encoder":
        from transformers import CLIPTextConfig, CLIPTextModel

        encoder: nn.Module = CLIPTextModel(CLIPTextConfig(**config))
        return encoder
    import diffusers

    network: nn.Module = getattr(diffusers, config["_class_name"]).from_config(dict(config))
    return network


def load(component: str, config: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> nn.Module:
    """Return a component with given weights under diffusers' names; position_ids may be there."""
    network = build(component, config)
    # Copied, for training in place must not reach the arrays.
    tensors = {name: torch.tensor(array) for name, array in weights.items()}
    network.load_state_dict({name: tensors[name] for name in tensors.keys() - CONSTANTS})
    return network


def arrays_of(network: nn.Module) -> dict[str, np.ndarray]:
    """Return a copy of a network's weights under diffusers' names."""
    return {name: tensor.detach().numpy().copy() for name, tensor in network.state_dict().items()}
