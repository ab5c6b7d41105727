"""What a forward of a network takes: activations alive at one time, and multiply-accumulates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from atlas.activations.plan_assumptions import assumed
from atlas.architectures import memory
from atlas.architectures.counting import count


@dataclass(frozen=True)
class Forward:
    """One forward of a batch."""

    activation_bytes: int
    """The most alive at one time, inputs included, in the dtypes that they have."""
    macs: int
    """Of convolutions and products."""

    @property
    def ram_bytes(self) -> int:
        """What a CPU takes, scratch space of kernels and what the allocator keeps among it."""
        forward = assumed()["forward"]
        return int(forward["times"] * self.activation_bytes + forward["bytes"])


def forward(network: torch.nn.Module, inputs: Mapping[str, Any]) -> Forward:
    """
    Run one forward on the meta device.

    Parameters
    ----------
    network, inputs
        On the meta device.
    """
    live = memory.live_bytes(network, inputs, pixels=0)
    # "half" is told of storages as they are: of float32 where the network is float32
    return Forward(max(live.half, default=0), count(network, inputs).total)
