"""Fitting: the tensors of a file held against the network that is to take them, and put into it."""

import re
from collections.abc import Callable, Mapping, Sequence
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
    Put weights into a network that was made on torch's meta device, and return it.

    Parameters
    ----------
    weights
        Of `expected`, by the file's names; emptied on the way, so that none is in memory twice.

    Raises
    ------
    AtlasError
        A buffer that no file holds can't be made.
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
    _make_buffers(network)
    return network.eval().requires_grad_(False)


def _number_positions(network: nn.Module) -> None:
    """Make the one buffer that is no weight, and so was left on the meta device."""
    for name, buffer in list(network.named_buffers()):
        if name.endswith(POSITIONS):
            owner, _, own = name.rpartition(".")
            numbers = torch.arange(buffer.shape[-1]).expand(buffer.shape)
            network.get_submodule(owner).register_buffer(own, numbers, persistent=False)


def _make_buffers(network: nn.Module) -> None:
    """Make the buffers that follow from the configuration alone, such as rotary frequencies."""
    for path, module in network.named_modules():
        left = [name for name, buffer in module.named_buffers(recurse=False) if buffer.is_meta]
        if not left:
            continue
        try:
            fresh = dict(type(module)(network.config).named_buffers(recurse=False))
        except (TypeError, AttributeError, ValueError) as error:
            raise AtlasError(
                f"{type(network).__name__}: {path}.{left[0]} is in no file, and can't be made "
                f"({error}); this network can't be run here"
            ) from error
        for name in left:
            module.register_buffer(name, fresh[name], persistent=False)


def _whole(shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape as the atlas has it: 1 × 1 convolutions are matrices."""
    whole = tuple(shape)
    return whole[:2] if len(whole) == 4 and whole[2:] == (1, 1) else whole
