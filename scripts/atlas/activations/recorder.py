"""Keep what layers give in chosen forwards: means over space, whole maps, or both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from atlas.activations.layers import UPDATE, Layer, Place
from atlas.activations.outputs import first_tensor, input_tensor
from atlas.basis.errors import AtlasError

DTYPES = {"float16": torch.float16, "float32": torch.float32}
"""Dtypes that maps are kept in; means are float32."""


@dataclass
class Kept:
    """What one layer gave at one time, batch after batch, on the CPU."""

    means: list[torch.Tensor] = field(default_factory=list)
    """float32 (samples, width)."""
    maps: list[torch.Tensor] = field(default_factory=list)
    """(samples, *shape), in the recorder's dtype; empty where maps are not kept."""
    rms: list[torch.Tensor] = field(default_factory=list)
    """float32 (samples,): root mean square of a sample's values."""
    nonfinite: list[torch.Tensor] = field(default_factory=list)
    """int64 (samples,): how many of the values as kept are NaN or infinite."""


class Recorder:
    """
    Hooks on the layers of a network; nothing is kept outside of `keeping`.

    Parameters
    ----------
    network
        Whose modules the layers are.
    has_maps
        Whether whole maps are kept, beside means over space or tokens.
    dtype
        Of the maps: float16 or float32.
    """

    def __init__(
        self, network: torch.nn.Module, layers: Sequence[Layer], *, has_maps: bool, dtype: str
    ) -> None:
        self._layers = tuple(layers)
        self._has_maps = has_maps
        self._dtype = DTYPES[dtype]
        self._now: float | None = None
        self._rows: slice = slice(None)
        self._kept: dict[tuple[str, float], Kept] = {}
        self._handles = [
            _hook(network, layer.module, self._receiver(layer)) for layer in self._layers
        ]

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    @contextmanager
    def keeping(self, time: float, rows: slice | None = None) -> Iterator[None]:
        """
        Keep what the layers give in the one forward of this block.

        Parameters
        ----------
        time
            Noise level or timestep of this forward, one of the probe's `times`.
        rows
            Which of the batch's rows are kept, where a forward takes both branches of guidance.

        Raises
        ------
        AtlasError
            A layer gave nothing, or more than once.
        """
        self._now, self._rows = time, slice(None) if rows is None else rows
        before = {layer.name: self._count(layer.name, time) for layer in self._layers}
        try:
            yield
        finally:
            self._now = None
        for layer in self._layers:
            times = self._count(layer.name, time) - before[layer.name]
            _check_called_once(layer.name, layer.module, times)

    def taken(self) -> dict[tuple[str, float], Kept]:
        """Return what was kept, by layer and time, and forget it."""
        kept, self._kept = self._kept, {}
        return kept

    def _count(self, name: str, time: float) -> int:
        return len(self._kept[name, time].means) if (name, time) in self._kept else 0

    def _receiver(self, layer: Layer) -> Callable[..., None]:
        def receive(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any) -> None:
            if self._now is None:
                return
            value = value_of(layer.element, layer.is_update, args, kwargs, output, layer.name)
            value = value.detach()[self._rows]
            kept = self._kept.setdefault((layer.name, self._now), Kept())
            # copies: what comes next in the network may write into its input
            kept.means.append(mean_over_space(value).to("cpu", copy=True))
            flat = value.flatten(1)
            kept.rms.append(flat.float().square().mean(1).sqrt().cpu())
            if self._has_maps:  # a narrower dtype may overflow
                value = value.to("cpu", self._dtype, copy=True)
                flat = value.flatten(1)
                kept.maps.append(value)
            kept.nonfinite.append((~flat.isfinite()).sum(1).cpu())

        return receive


def value_of(
    element: int, is_update: bool, args: Any, kwargs: Mapping[str, Any], output: Any, name: str
) -> torch.Tensor:
    """
    Return a module's output, or its output less its input.

    Raises
    ------
    AtlasError
        An update is asked for where output and input are of different shapes.
    """
    value = first_tensor(output, element)
    if not is_update:
        return value
    given = input_tensor(args, kwargs)
    if given is None:
        raise AtlasError(
            f"layer {name}: has no update, since its module is given no tensor to work on; keep "
            f"the output ({name.removesuffix(UPDATE)})"
        )
    if given.shape != value.shape:
        raise AtlasError(
            f"layer {name}: has no update, since its input is {tuple(given.shape[1:])} and its "
            f"output {tuple(value.shape[1:])} a sample; keep the output "
            f"({name.removesuffix(UPDATE)}), or the update of a module inside it"
        )
    return value - given


def mean_over_space(value: torch.Tensor) -> torch.Tensor:
    """Return float32 (samples, channels): of (samples, channels, …) or (samples, tokens, width)."""
    value = value.float()
    if value.ndim == 2:
        return value
    return value.mean(1) if value.ndim == 3 else value.flatten(2).mean(2)


def shapes(
    network: torch.nn.Module, places: Mapping[str, Place], call: Callable[[], object]
) -> dict[str, tuple[int, ...]]:
    """
    Return the shape of one sample's value of each layer, watched in one call of the network.

    Parameters
    ----------
    network
        On the meta device, where the call costs nothing.
    places
        Layers by name.
    call
        Runs the network once.

    Raises
    ------
    AtlasError
        The call does not reach a layer, or more than once, or an update is asked for where there
        is none.
    """
    seen: dict[str, list[tuple[int, ...]]] = {name: [] for name in places}

    def watch(name: str, place: Place) -> Callable[..., None]:
        def note(_: Any, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
            value = value_of(place.element, name.endswith(UPDATE), args, kwargs, output, name)
            seen[name].append(tuple(value.shape[1:]))

        return note

    handles = [_hook(network, place.module, watch(name, place)) for name, place in places.items()]
    try:
        with torch.no_grad():
            call()
    finally:
        for handle in handles:
            handle.remove()
    if unseen := [name for name in places if not seen[name]]:
        raise AtlasError(f"layers: a forward of the network does not reach {', '.join(unseen)}")
    for name, place in places.items():
        _check_called_once(name, place.module, len(seen[name]))
    return {name: shapes[0] for name, shapes in seen.items()}


def _check_called_once(name: str, module: str, times: int) -> None:
    if times != 1:
        raise AtlasError(
            f"layer {name}: its module {module} was called {times} times in one forward, not once; "
            "choose another layer"
        )


def _hook(network: torch.nn.Module, module: str, receive: Callable[..., None]) -> Any:
    return network.get_submodule(module).register_forward_hook(receive, with_kwargs=True)
