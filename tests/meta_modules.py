"""Components on the meta device, built once for all tests of a process, and their arguments."""

from functools import cache
from typing import Any

import torch

from atlas.architectures import build, catalogue, inputs
from atlas.architectures.meta import RememberedShapes

REMEMBERED = RememberedShapes()


@cache
def built(architecture: str, component: str) -> torch.nn.Module:
    """Return a component of an entry of the catalogue in float16."""
    return build.component(catalogue.load(architecture), component)


def denoiser(architecture: str) -> torch.nn.Module:
    """Return the denoiser of an entry of the catalogue in float16."""
    return built(architecture, catalogue.load(architecture).denoiser_name)


def run(call: Any, arguments: dict[str, Any]) -> Any:
    """Call a forward, decode or encode of meta tensors without working shapes out twice."""
    with REMEMBERED:
        return call(**arguments)


def arguments_of(
    architecture: str, component: str, method: str | None, side: int = 256
) -> dict[str, Any]:
    """Return what a component's forward, decode or encode is given for a square image."""
    entry = catalogue.load(architecture)
    if method is not None:
        make = inputs.vae_decode if method == "decode" else inputs.vae_encode
        return make(entry, width=side, height=side)
    if component == entry.denoiser_name:
        return inputs.denoiser(entry, width=side, height=side)
    return inputs.text_encoder(entry, component)
