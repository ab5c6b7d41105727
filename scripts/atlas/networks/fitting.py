"""Fitting: the tensors of a file held against the network that is to take them, and put into it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from atlas.basis.errors import AtlasError

Value = TypeVar("Value")

PREFIX = "text_model."
"""Under which text encoders are kept on disk; transformers' own names may lack it."""

POSITIONS = "position_ids"
"""Numbers 0, 1, 2, …, which old files hold as if they were weights."""


def renamed(named: Mapping[str, Value], expected: Mapping[str, object]) -> dict[str, Value]:
    """Leave out PREFIX where the network's own names lack it."""
    if any(name.startswith(PREFIX) for name in expected):
        return dict(named)
    return {name.removeprefix(PREFIX): value for name, value in named.items()}


def check(
    found: Mapping[str, Sequence[int]],
    expected: Mapping[str, Sequence[int]],
    message: Callable[[str], str],
) -> None:
    """
    Hold the shapes of tensors against those of a network's, by name.

    Parameters
    ----------
    message
        Makes the sentence of an error from what does not fit.

    Raises
    ------
    AtlasError
        They are not the same: this is another network, or its configuration another's.
    """
    faults = []
    if missing := sorted(expected.keys() - found.keys()):
        faults.append(f"{len(missing)} of {len(expected)} are missing ({missing[0]}, …)")
    if surplus := sorted(found.keys() - expected.keys()):
        faults.append(f"{len(surplus)} have no place in it ({surplus[0]}, …)")
    common = [name for name in expected if name in found]
    if other := [name for name in common if _whole(expected[name]) != _whole(found[name])]:
        name = other[0]
        faults.append(
            f"{len(other)} are of other shape ({name}: {list(found[name])} instead of "
            f"{list(expected[name])}, …)"
        )
    if faults:
        raise AtlasError(message("; ".join(faults)))


@contextmanager
def weightless() -> Iterator[None]:
    """
    Make networks whose weights are on torch's meta device, and whose buffers are what they are.

    Buffers such as rotary frequencies follow from the configuration and are in no file: on the meta
    device, where `torch.device("meta")` would make them too, they would be lost.
    """
    register = nn.Module.register_parameter

    def without(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        register(module, name, parameter)
        if parameter is not None:
            empty = parameter.detach().to("meta")
            module._parameters[name] = nn.Parameter(empty, requires_grad=False)

    nn.Module.register_parameter = without  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def expected(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a network's weights by name; one that stands under two names once."""
    tied = getattr(network, "_tied_weights_keys", None) or {}
    return {
        name: tuple(value.shape)
        for name, value in network.state_dict().items()
        if not any(re.fullmatch(pattern, name) for pattern in tied)
    }


def loaded(
    network: nn.Module, weights: dict[str, torch.Tensor], *, dtype: torch.dtype
) -> nn.Module:
    """
    Put weights into a network that was made without any, and return it.

    Parameters
    ----------
    weights
        Of `expected`, by the file's names; emptied on the way, so that none is in memory twice.
    """
    shapes = expected(network)
    state = {}
    for own, name in renamed({name: name for name in weights}, shapes).items():
        state[own] = weights.pop(name).to(dtype).reshape(shapes[own]).contiguous()
    whole = len(shapes) == len(network.state_dict())
    network.load_state_dict(state, assign=True, strict=whole)
    if not whole:
        network.tie_weights()  # type: ignore[operator]  # of transformers' networks
    _number_positions(network)
    return network.eval().requires_grad_(False)


def _number_positions(network: nn.Module) -> None:
    """Make the one buffer that is no weight, and so was left on the meta device."""
    for name, buffer in list(network.named_buffers()):
        if name.endswith(POSITIONS):
            owner, _, own = name.rpartition(".")
            numbers = torch.arange(buffer.shape[-1]).expand(buffer.shape)
            network.get_submodule(owner).register_buffer(own, numbers, persistent=False)


def _whole(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as the atlas has it: 1 × 1 convolutions are matrices."""
    whole = tuple(shape)
    return whole[:2] if len(whole) == 4 and whole[2:] == (1, 1) else whole
