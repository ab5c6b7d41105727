"""
Other counters beside the figure of record, and what each misses or adds, by named causes.

thop counts layers of exactly the types it knows; torchinfo multiplies a layer's parameters by
the first axis of its output, and of a convolution by the positions too. Both are predicted from
the shapes at the calls of all layers; what is left unexplained is told.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import nn

from atlas.architectures.counting import Count
from atlas.architectures.meta import RememberedShapes
from atlas.architectures.watching import LayerCall

CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
TRANSPOSED = CONVOLUTIONS[3:]
COUNTED = (*CONVOLUTIONS, nn.Linear)

# Causes, as they are named in the table: added to the figure of record they give the counter's.
ATTENTION = "attention products left out"
FUNCTIONS = "products outside layers left out"
SUBCLASSES = "subclasses of layers left out"
TRANSPOSING = "transposed convolutions counted stride times too often"
NORMS = "normalisation counted"
TOKENS = "sequence length of linear layers left out"
BIASES = "biases counted"
OTHERS = "weights of norms and embeddings counted"


@dataclass(frozen=True)
class Compared:
    """One counter's figure beside the figure of record."""

    counter: str
    record: int
    """MACs by FlopCounterMode."""
    macs: int | None
    """None where the counter failed."""
    causes: Mapping[str, int] = field(default_factory=dict)
    """By cause, what the counter has more (or less) than the figure of record."""
    problem: str = ""

    @property
    def unexplained(self) -> int | None:
        """What is left of the difference after all causes."""
        return None if self.macs is None else self.macs - self.record - sum(self.causes.values())

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table."""
        return {
            "counter": self.counter,
            "record_macs": self.record,
            "counter_macs": self.macs,
            "difference_macs": None if self.macs is None else self.macs - self.record,
            "causes": "; ".join(f"{cause} {macs:+,}" for cause, macs in self.causes.items()),
            "unexplained_macs": self.unexplained,
            "problem": self.problem,
        }


def compare(
    module: nn.Module,
    kwargs: Mapping[str, Any],
    method: str | None,
    count: Count,
    remembered: RememberedShapes,
) -> tuple[Compared, ...]:
    """Run thop and torchinfo on a call that was counted; one that fails says so."""
    figure = Compared("FlopCounterMode", count.total, count.total)
    return (
        figure,
        *(
            _compared(name, counter, causes, module, kwargs, method, count, remembered)
            for name, counter, causes in (
                ("thop", thop_macs, thop_causes),
                ("torchinfo", torchinfo_macs, torchinfo_causes),
            )
        ),
    )


def _compared(
    name: str,
    counter: Any,
    causes: Any,
    module: nn.Module,
    kwargs: Mapping[str, Any],
    method: str | None,
    count: Count,
    remembered: RememberedShapes,
) -> Compared:
    try:
        with torch.no_grad(), remembered, contextlib.redirect_stdout(io.StringIO()):
            macs = counter(Call(module, method, kwargs))
    # A counter may raise anything on a model that it was not made for.
    except Exception as error:
        return Compared(name, count.total, None, problem=f"{type(error).__name__}: {error}"[:300])
    told = {cause: value for cause, value in causes(count).items() if value}
    return Compared(name, count.total, macs, told)


class Call(nn.Module):
    """A call with its arguments as the forward of one tensor, all that both counters can pass."""

    def __init__(self, module: nn.Module, method: str | None, kwargs: Mapping[str, Any]) -> None:
        super().__init__()
        self.module = module
        self.method = method
        self.kwargs = kwargs
        # thop leaves a model in the mode that it found the outermost module in.
        self.train(module.training)

    def forward(self, _: torch.Tensor) -> Any:
        """Make the call."""
        call = self.module if self.method is None else getattr(self.module, self.method)
        return call(**self.kwargs)


def thop_macs(call: nn.Module) -> int:
    """Return what thop counts; the buffers and hooks that it leaves behind are taken away."""
    import thop

    hooks = {part: dict(part._forward_hooks) for part in call.modules()}
    try:
        macs, _ = thop.profile(call, inputs=(torch.empty(1, device="meta"),), verbose=False)
    finally:
        for part in call.modules():
            part._buffers.pop("total_ops", None)
            part._buffers.pop("total_params", None)
            for handle in set(part._forward_hooks) - set(hooks[part]):
                del part._forward_hooks[handle]
    return int(macs)


def torchinfo_macs(call: nn.Module) -> int:
    """Return torchinfo's mult-adds."""
    import torchinfo

    dummy = torch.empty(1, device="meta")
    told = torchinfo.summary(call, input_data=[dummy], mode="eval", verbose=0, col_names=())
    return int(told.total_mult_adds)


def thop_causes(count: Count) -> dict[str, int]:
    """Return by cause what thop counts more than there is; negative where it misses some."""
    causes = _beyond_layers(count)
    for call in count.layers:
        kind, true = type(call.layer), layer_macs(call)
        if isinstance(call.layer, COUNTED) and kind not in COUNTED:
            causes[SUBCLASSES] -= true
        elif kind in TRANSPOSED:
            causes[TRANSPOSING] += _as_plain_convolution(call) - true
        elif kind is nn.LayerNorm:
            # Two for the normal form, two more for a weight and a bias.
            causes[NORMS] += (2 if call.layer._parameters["weight"] is None else 4) * prod(
                call.received
            )
    return causes


def torchinfo_causes(count: Count) -> dict[str, int]:
    """Return by cause what torchinfo counts more than there is; negative where it misses some."""
    causes = _beyond_layers(count)
    for call in count.layers:
        weight, bias = (_elements(call.layer, name) for name in ("weight", "bias"))
        batch, positions = call.returned[0], prod(call.returned[2:])
        if "Conv" in type(call.layer).__name__:
            causes[BIASES] += bias * batch * positions
            causes[TRANSPOSING] += weight * batch * positions - layer_macs(call)
        elif isinstance(call.layer, nn.Linear):
            causes[BIASES] += bias * batch
            causes[TOKENS] += weight * batch - layer_macs(call)
        else:
            causes[OTHERS] += (weight + bias) * batch
    return causes


def _beyond_layers(count: Count) -> Counter[str]:
    """Return what neither counter sees: products that are no layer's."""
    kinds = count.by_kind()
    layers = sum(layer_macs(call) for call in count.layers)
    outside = kinds["convolution"] + kinds["linear"] - layers + kinds["other matmul"]
    return Counter({ATTENTION: -kinds["attention"], FUNCTIONS: -outside})


def layer_macs(call: LayerCall) -> int:
    """
    Return the MACs of one call of a convolution or linear layer from shapes alone, else 0.

    Linear: outputs x inputs per output. Convolution: outputs x weights per output channel; a
    transposed one multiplies each input with the weights of its input channel.
    """
    weight = call.layer._parameters["weight"]
    if weight is None:
        return 0
    if isinstance(call.layer, nn.Linear):
        return prod(call.returned) * weight.shape[1]
    if isinstance(call.layer, TRANSPOSED):
        return prod(call.received) * prod(weight.shape[1:])
    if isinstance(call.layer, CONVOLUTIONS):
        return prod(call.returned) * prod(weight.shape[1:])
    return 0


def _as_plain_convolution(call: LayerCall) -> int:
    """Return what thop counts of any convolution: outputs x input channels of a group x kernel."""
    layer: Any = call.layer
    groups: int = layer.groups
    kernel: tuple[int, ...] = tuple(layer.weight.shape[2:])
    return prod(call.returned) * (call.received[1] // groups) * prod(kernel)


def _elements(layer: nn.Module, name: str) -> int:
    parameter = layer._parameters.get(name)
    return 0 if parameter is None else parameter.numel()
