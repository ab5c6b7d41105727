"""
Weights that come and go during a forward: offloaded by layer or by block, or stored in float8.

What the three do is read from the libraries that do it; no weights are moved here:

- `layer`: `enable_sequential_cpu_offload` of diffusers. accelerate (hooks.py, AlignDevicesHook)
  brings the parameters that a module itself owns as its forward begins, and drops them as it ends.
- `block`: `enable_group_offload(offload_type="block_level", num_blocks_per_group=1)` without
  streams. diffusers (hooks/group_offloading.py, _apply_group_offloading_block_level) does so with
  the members of the lists that the model itself owns (of an autoencoder: its decoder); all else is
  there throughout the forward. Text encoders own their lists at second hand: they come whole.
- `float8`: `enable_layerwise_casting`. diffusers (hooks/layerwise_casting.py) keeps linear,
  convolution and embedding layers in 1 byte per weight, but for those whose names say that they
  are sensitive, and casts a layer's weights to 16 bit for its own forward.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

Way = Literal["layer", "block", "float8"]
"""How weights are streamed."""

WAYS: tuple[Way, ...] = ("layer", "block", "float8")


@dataclass(frozen=True)
class Visit:
    """What one module's forward adds to the weights at hand, in elements (of float8: bytes)."""

    opening: int
    """The most while it is prepared."""
    held: int
    """While it runs."""
    closing: int
    """The most while what was added is dropped, its result being there already."""


@dataclass(frozen=True)
class Stream:
    """One way to stream the weights of a model."""

    resident: int
    """What is there throughout: elements of parameters; of float8 the bytes of them all."""
    visits: Mapping[nn.Module, Visit]


def streams(module: nn.Module) -> dict[Way, Stream]:
    """Return what each way does with the weights of a model."""
    return {"layer": _by_layer(module), "block": _by_block(module), "float8": _in_float8(module)}


def _by_layer(module: nn.Module) -> Stream:
    own = {part: _elements(part.parameters(recurse=False)) for part in module.modules()}
    return Stream(resident=0, visits={part: _loaded(size) for part, size in own.items() if size})


def _by_block(module: nn.Module) -> Stream:
    groups = dict(_groups(module))
    resident = groups.pop(module, 0)
    return Stream(resident, {leader: _loaded(size) for leader, size in groups.items() if size})


def _groups(module: nn.Module) -> Iterator[tuple[nn.Module, int]]:
    """
    Yield the modules whose forwards bring weights, and how many elements.

    A model's own group is what is neither in its lists nor in those of its parts that the class
    names as blocks: it is brought by the model's own forward.
    """
    named = getattr(module, "_group_offload_block_modules", None) or ()
    rest = list(module.parameters(recurse=False))
    for name, child in module.named_children():
        if name in named:
            yield from _groups(child)
        elif isinstance(child, nn.ModuleList | nn.Sequential):
            yield from ((block, _elements(block.parameters())) for block in child)
        else:
            rest += child.parameters()
    yield module, _elements(dict.fromkeys(rest))  # a tied one is brought once


def _loaded(elements: int) -> Visit:
    return Visit(opening=elements, held=elements, closing=elements)


def _in_float8(module: nn.Module) -> Stream:
    cast = {layer: [p.numel() for p in layer.parameters()] for layer in cast_layers(module)}
    stored = sum(sum(sizes) for sizes in cast.values())
    return Stream(
        resident=2 * _elements(module.parameters()) - stored,
        visits={layer: _cast(sizes) for layer, sizes in cast.items()},
    )


def _cast(sizes: list[int]) -> Visit:
    """
    Return the bytes that casting a layer's parameters, one after the other, adds.

    Each is there twice while it is cast: 1 byte per weight stored, 2 computed with.
    """
    opening, closing = 0, 0
    for number, size in enumerate(sizes):
        opening = max(opening, sum(sizes[:number]) + 2 * size)
        closing = max(closing, sum(sizes[number:]) + size)
    return Visit(opening, sum(sizes), closing)


def cast_layers(module: nn.Module) -> list[nn.Module]:
    """Return the layers of a model of diffusers that layerwise casting keeps in float8."""
    from diffusers.hooks import layerwise_casting as casting

    sensitive = [
        *casting.DEFAULT_SKIP_MODULES_PATTERN,
        *(getattr(module, "_keep_in_fp32_modules", None) or ()),
        *(getattr(module, "_skip_layerwise_casting_patterns", None) or ()),
    ]
    kinds = casting._GO_LC_SUPPORTED_PYTORCH_LAYERS
    return [
        layer
        for name, layer in module.named_modules()
        if isinstance(layer, kinds) and not _is_within(name, sensitive)
    ]


def _is_within(name: str, patterns: list[str]) -> bool:
    """Say whether a module, or one that it is part of, is named by a pattern."""
    parts = name.split(".")
    places = (".".join(parts[: end + 1]) for end in range(len(parts)))
    return any(re.search(pattern, place) for place in places for pattern in patterns)


def _elements(parameters: Iterable[nn.Parameter]) -> int:
    return sum(parameter.numel() for parameter in parameters)
