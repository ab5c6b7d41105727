"""Components on the meta device, built once for all tests of a run."""

from functools import cache
from typing import Any

import torch

from atlas.architectures import build, catalogue
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
