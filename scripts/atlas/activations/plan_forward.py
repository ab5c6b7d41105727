"""What drawing a batch takes: activations alive at one time, and multiply-accumulates."""

from dataclasses import dataclass
from typing import Any

from atlas.activations.plan_assumptions import assumed
from atlas.activations.probes.probe import Probe
from atlas.architectures import memory
from atlas.architectures.counting import count


@dataclass(frozen=True)
class Forward:
    """One forward of a batch, and what else runs for the batch."""

    activation_bytes: int
    """The most alive at one time, inputs included, in the dtypes that they have."""
    macs: int
    """Of the forward's convolutions and products."""
    rows: int
    """Of the forward: twice the batch where both branches of guidance run at once."""
    further_macs: int = 0
    """Of what runs once for a batch beside the network's forwards: a decoder, ..."""

    @property
    def ram_bytes(self) -> int:
        """What a CPU takes, scratch space of kernels and what the allocator keeps among it."""
        forward = assumed()["forward"]
        return int(forward["times"] * self.activation_bytes + forward["bytes"])


def forward(probe: Probe, batch: int) -> Forward:
    """Run one forward of a batch on the meta device, and what else the probe runs for it."""
    network, inputs = probe.skeleton, probe.inputs(batch)
    found = [memory.live_bytes(network, inputs, pixels=0)]
    further = 0
    for call in probe.further_calls(batch):
        run: Any = getattr(call.module, call.method)
        found.append(memory.live_bytes(run, call.arguments, pixels=0))
        further += count(call.module, call.arguments, method=call.method).total
    # "half" is told of storages as they are: of float32 where the network is float32
    most = max(max(live.half, default=0) for live in found)
    shapes = [value.shape for value in inputs.values() if getattr(value, "ndim", 0) > 2]
    rows = max((shape[0] for shape in shapes), default=batch)
    return Forward(most, count(network, inputs).total, rows, further)
