"""LoRA on the meta device: two thin layers beside each of the layers that are named."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial

import torch

from atlas.basis.errors import AtlasError

SCALE = 1.0
"""Of what is added: alpha / rank. It changes no cost."""


class Adapted(torch.nn.Module):
    """
    A layer with a LoRA beside it: layer(x) + up(down(x)) x scale, as PEFT runs it unmerged.

    Of a linear layer, down is [rank, in] and up [out, rank]; of a convolution, down has its
    kernel and stride, up a kernel of 1 x 1. Neither has a bias.
    """

    def __init__(self, layer: torch.nn.Module, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.down, self.up = _thin_layers(layer, rank)

    @property
    def weight(self) -> torch.Tensor:
        """The layer's own, which some attention asks for its dtype."""
        weight: torch.Tensor = self.layer.weight  # type: ignore[assignment]
        return weight

    @property
    def bias(self) -> torch.Tensor | None:
        """The layer's own."""
        bias: torch.Tensor | None = self.layer.bias  # type: ignore[assignment]
        return bias

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Run the layer and what is beside it."""
        result: torch.Tensor = self.layer(hidden)
        result = result + self.up(self.down(hidden)) * SCALE
        return result


def _thin_layers(layer: torch.nn.Module, rank: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    if isinstance(layer, torch.nn.Linear):
        linear = partial(
            torch.nn.Linear, bias=False, device=layer.weight.device, dtype=layer.weight.dtype
        )
        return linear(layer.in_features, rank), linear(rank, layer.out_features)
    if isinstance(layer, torch.nn.Conv2d) and layer.groups == 1:
        convolution = partial(
            torch.nn.Conv2d, bias=False, device=layer.weight.device, dtype=layer.weight.dtype
        )
        same = {
            key: getattr(layer, key) for key in ("kernel_size", "stride", "padding", "dilation")
        }
        down = convolution(layer.in_channels, rank, **same)
        return down, convolution(rank, layer.out_channels, kernel_size=1)
    kind = type(layer).__name__
    raise AtlasError(f"a LoRA goes beside linear layers and convolutions of one group, not {kind}")


def matching(module: torch.nn.Module, names: Sequence[str]) -> list[str]:
    """
    Return the dotted paths of the modules that names stand for, as PEFT's target_modules.

    A path fits that is the name, or ends with a dot and the name; `*` stands for anything.
    """
    return [
        path
        for path, _ in module.named_modules()
        if any(fnmatchcase(path, name) or fnmatchcase(path, f"*.{name}") for name in names)
    ]


@contextmanager
def adapted(module: torch.nn.Module, names: Sequence[str], rank: int) -> Iterator[int]:
    """
    Put a LoRA beside the layers that names stand for, and take them away again.

    Yields
    ------
    int
        Parameters of the LoRA: the sum of rank x (in + out) over linear layers.

    Raises
    ------
    AtlasError
        if a name stands for something else than a linear layer or a convolution.
    """
    paths = matching(module, names)
    layers = {path: module.get_submodule(path) for path in paths}
    for path, layer in layers.items():
        try:
            _put(module, path, Adapted(layer, rank))
        except (AtlasError, AttributeError) as error:
            _put_back(module, layers)
            raise AtlasError(f"{path}: {error}") from error
    try:
        yield sum(
            parameter.numel()
            for path in paths
            for part in ("down", "up")
            for parameter in module.get_submodule(f"{path}.{part}").parameters()
        )
    finally:
        _put_back(module, layers)


def _put_back(module: torch.nn.Module, layers: dict[str, torch.nn.Module]) -> None:
    for path, layer in layers.items():
        _put(module, path, layer)


def _put(module: torch.nn.Module, path: str, layer: torch.nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    module.get_submodule(parent)._modules[name] = layer
