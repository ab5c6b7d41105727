"""
What torchinfo says of a component: its counts, which are published widely, beside our own.

torchinfo re-enters a module that occurs twice in a model and counts its containers again
(TylerYep/torchinfo#289, #322): diffusers up to 0.31 shared one activation among all blocks of a
UNet, which made 2.0 B parameters of Stable Diffusion 1's 0.86 B.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from atlas.architectures.meta import RememberedShapes

DEPTH = 3
"""Levels that the published table was made with; the sums do not depend on it."""


@dataclass(frozen=True)
class TorchinfoSizes:
    """The sums at the foot of torchinfo's table."""

    parameters: int
    input_bytes: int
    forward_backward_bytes: int
    """2 x the bytes of the outputs of all modules that own parameters and hold no others."""
    parameter_bytes: int
    """Of the modules that ran."""

    @property
    def total_bytes(self) -> int:
        """What torchinfo calls the estimated total size."""
        return self.input_bytes + self.forward_backward_bytes + self.parameter_bytes


def of_forward(
    module: nn.Module, arguments: Mapping[str, Any], remembered: RememberedShapes | None = None
) -> TorchinfoSizes:
    """Run torchinfo on a forward on the meta device, in eval mode."""
    import torchinfo

    with torch.no_grad(), remembered or RememberedShapes():
        told = torchinfo.summary(
            module,
            input_data=_without_none(arguments),
            depth=DEPTH,
            mode="eval",
            device="meta",
            verbose=0,
            col_names=("output_size", "num_params"),
        )
    return TorchinfoSizes(
        parameters=told.total_params,
        input_bytes=told.total_input,
        forward_backward_bytes=told.total_output_bytes,
        parameter_bytes=told.total_param_bytes,
    )


def _without_none(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Put empty tensors for conditions that a model is not given: torchinfo can't add up None."""
    return {
        name: _without_none(value)
        if isinstance(value, Mapping)
        else torch.empty(0, device="meta")
        if value is None
        else value
        for name, value in arguments.items()
    }


def parameters(module: nn.Module) -> int:
    """Return torchinfo's count of a component that is not run."""
    import torchinfo

    return int(torchinfo.summary(module, verbose=0).total_params)


def share_activations(module: nn.Module) -> int:
    """
    Let all SiLU modules of a component be one object, as diffusers up to 0.31 had it.

    Returns the number of places it is now at. The forward computes what it did.
    """
    shared = nn.SiLU()
    places = [
        (parent, name)
        for parent in module.modules()
        for name, child in parent.named_children()
        if type(child) is nn.SiLU
    ]
    for parent, name in places:
        setattr(parent, name, shared)
    return len(places)
