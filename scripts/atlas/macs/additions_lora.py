"""LoRA on the meta device: two thin layers beside each of the layers that are named."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

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
        return self.layer.weight  # type: ignore[return-value]

    @property
    def bias(self) -> torch.Tensor | None:
        """The layer's own."""
        return self.layer.bias  # type: ignore[return-value]

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Run the layer and what is beside it."""
        result: torch.Tensor = self.layer(hidden)
        return result + self.up(self.down(hidden)) * SCALE


def _thin_layers(layer: torch.nn.Module, rank: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    like = {"bias": False, "device": layer.weight.device, "dtype": layer.weight.dtype}
    if isinstance(layer, torch.nn.Linear):
        return (
            torch.nn.Linear(layer.in_features, rank, **like),
            torch.nn.Linear(rank, layer.out_features, **like),
        )
    if isinstance(layer, torch.nn.Conv2d) and layer.groups == 1:
        same = {key: getattr(layer, key) for key in ("stride", "padding", "dilation")}
        return (
            torch.nn.Conv2d(layer.in_channels, rank, layer.kernel_size, **same, **like),
            torch.nn.Conv2d(rank, layer.out_channels, 1, **like),
        )
    raise AtlasError(
        f"a LoRA goes beside linear layers and convolutions of one group, not {type(layer).__name__}"
    )


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
