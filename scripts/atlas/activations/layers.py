"""A layer whose values are kept: found by name in a network, with the shape of what it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

from atlas.basis.errors import AtlasError, nearest

UPDATE = ".update"
"""At the end of a layer's name: its output less its input."""


@dataclass(frozen=True)
class Layer:
    """A place in a network whose values are kept."""

    name: str
    """Short name or module path, with `.update` at its end where the update is kept."""
    module: str
    """Path of the module in the network."""
    shape: tuple[int, ...]
    """Of one sample: (channels, height, width), (tokens, width) or (width,)."""
    element: int = 0
    """Which of several outputs is kept."""

    @property
    def is_update(self) -> bool:
        """Whether output less input is kept, in the place of the output."""
        return self.name.endswith(UPDATE)

    @property
    def width(self) -> int:
        """Length of the mean over space or tokens: number of channels."""
        return self.shape[-1] if len(self.shape) < 3 else self.shape[0]

    @property
    def numel(self) -> int:
        """Values of one sample."""
        return prod(self.shape)


class HasModules(Protocol):
    """What is asked of a network here; torch's modules have it, and torch is not imported."""

    def named_modules(self) -> Iterable[tuple[str, Any]]:
        """Yield all modules with their paths."""


@dataclass(frozen=True)
class Place:
    """What a short name stands for: a module, and which of its outputs is meant."""

    module: str
    element: int = 0


def found(
    asked: Iterable[str], *, short: Mapping[str, Place], network: HasModules
) -> dict[str, Place]:
    """
    Return the places of layers asked for by short name or module path, in their order.

    Raises
    ------
    AtlasError
        for names that are neither, all of them at once, each with the nearest valid one.
    """
    modules = {name for name, _ in network.named_modules() if name}
    places: dict[str, Place] = {}
    faults = []
    for name in asked:
        bare = name.removesuffix(UPDATE)
        if bare in short:
            places[name] = short[bare]
        elif bare in modules:
            places[name] = Place(bare)
        else:
            hint = nearest(bare, short) or nearest(bare, modules)
            faults.append(f"layers: there is no layer {name!r}{hint}")
    if faults:
        raise AtlasError(
            "\n".join(faults) + f"\nshort names are: {', '.join(short)}; module paths serve, too"
        )
    return places
