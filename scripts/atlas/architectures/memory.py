"""
Peak memory of a forward: weights, buffers and the largest set of activations alive at one time.

Tensors on the meta device are made and freed as on a real one, so every allocation of a forward
and its end can be followed without memory. What is counted: all that a forward allocates, its
inputs too. What is not: scratch space of kernels (attention is taken to be fused: its matrix of
scores is never stored; convolutions without workspace), the allocator's rounding and caches, and
the context of the device (some 300 to 500 MB).

Every size is run: what is alive is not always affine in the number of pixels, so that two sizes
do not give a third (Chroma's mask has as many elements as tokens squared, and Z-Image pads tokens).
"""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from atlas.architectures.meta import RememberedShapes, Shape, empty, shape_of
from atlas.architectures.nested import tensors_in
from atlas.architectures.streaming import Stream, Visit, Way

Precision = Literal["half", "single"]
"""Activations of 2 or of 4 bytes."""

WEIGHT_BYTES = {"f32": 4, "f16": 2, "bf16": 2, "f8": 1}
"""Bytes per parameter by dtype."""

ACTIVATIONS: dict[str, Precision] = {"f32": "single", "f16": "half", "bf16": "half", "f8": "half"}
"""Precision of the activations by the weights' dtype: f8 is for storage, not for arithmetic."""


BUFFER_BYTES: dict[Precision, int] = {"half": 2, "single": 4}
"""Bytes per element of a buffer: buffers have the precision of activations."""


@dataclass(frozen=True)
class LiveBytes:
    """Bytes of activations alive after every event of a forward."""

    pixels: int
    half: Sequence[int]
    """If the model runs in 16 bit: what it computes in float32 on its own stays float32."""
    single: Sequence[int]
    """If it runs in float32: conversions between precisions are none."""
    streamed: Mapping[Way, Sequence[int]] = field(default_factory=dict)
    """Weights at hand at the same events, by how they are streamed; see `streaming`."""


@dataclass(frozen=True)
class Peak:
    """The most bytes of activations alive at one time of a forward at one size."""

    half: int
    single: int
    streamed: Mapping[tuple[Way, Precision], int] = field(default_factory=dict)
    """The most bytes of activations and weights together where the weights are streamed."""

    def at(self, precision: Precision) -> int:
        """Return the bytes under a precision."""
        return self.half if precision == "half" else self.single


def peak(live: LiveBytes) -> Peak:
    """Return the largest of what is alive at one time, for every way to hold the weights."""
    half, single = (np.array(history, dtype=np.int64) for history in (live.half, live.single))
    streamed: dict[tuple[Way, Precision], int] = {}
    for way, history in live.streamed.items():
        weights = np.array(history, dtype=np.int64)
        if way == "float8":
            streamed[way, "half"] = int((half + weights).max())
        else:
            streamed[way, "half"] = int((half + 2 * weights).max())
            streamed[way, "single"] = int((single + 4 * weights).max())
    return Peak(int(half.max(initial=0)), int(single.max(initial=0)), streamed)


def live_bytes(
    call: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    pixels: int,
    remembered: RememberedShapes | None = None,
    streams: Mapping[Way, Stream] | None = None,
    repeated: torch.nn.Module | None = None,
) -> LiveBytes:
    """
    Follow one call on the meta device in float16 and return the bytes alive at each event.

    Events are allocations and, where weights are streamed, the beginnings and ends of the forwards
    of modules that weights come and go with.

    Parameters
    ----------
    call
        A module, or a method of one.
    arguments
        The call's keyword arguments; counted as alive throughout.
    pixels
        Of the image that the arguments are for.
    remembered
        Shapes known from earlier calls.
    streams
        Ways to stream the weights that are to be followed too.
    repeated
        A module that the call runs many times, such as the decoder of a tiled autoencoder: for
        tensors of equal shapes it is run once, and its events are told again.
    """
    follower = _Follower(streams or {})
    follower.hold(arguments)
    with (
        torch.no_grad(),
        remembered or RememberedShapes(),
        follower,
        _FusedAttention(follower),
        follower.watching(),
        follower.repeating(repeated) if repeated else nullcontext(),
    ):
        result = call(**arguments)
        follower.hold(result)
    return LiveBytes(pixels, follower.half, follower.single, follower.weights)


@dataclass
class _Allocation:
    """Bytes that are freed when the last of their holders is."""

    size: int
    holders: int = 0


class _Ledger:
    """Bytes alive under one precision."""

    def __init__(self) -> None:
        self.alive = 0
        self.history: list[int] = []

    def take(self, allocation: _Allocation) -> None:
        if not allocation.holders:
            self.alive += allocation.size
        allocation.holders += 1
        self.note()

    def note(self) -> None:
        self.history.append(self.alive)

    def give(self, allocation: _Allocation) -> None:
        allocation.holders -= 1
        if not allocation.holders:
            self.alive -= allocation.size


@dataclass(frozen=True)
class _Events:
    """What a module's forward adds to the bytes alive, and the weights at hand, at each event."""

    half: list[int]
    single: list[int]
    weights: dict[Way, list[int]]


class _Follower(TorchDispatchMode):
    """Follows storages from the operation that makes them until they are freed."""

    def __init__(self, streams: Mapping[Way, Stream]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._half, self._single = _Ledger(), _Ledger()
        self._streams = streams
        self._at_hand = {way: stream.resident for way, stream in streams.items()}
        self.weights: dict[Way, list[int]] = {way: [] for way in streams}
        self._known: dict[int, _Allocation] = {}
        """By id of a storage that is alive: what it takes in single precision."""
        self.paused = False

    @property
    def half(self) -> list[int]:
        return self._half.history

    @property
    def single(self) -> list[int]:
        return self._single.history

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Let weights come and go with the forwards of their modules."""
        visits: dict[torch.nn.Module, dict[Way, Visit]] = {}
        for way, stream in self._streams.items():
            for module, visit in stream.visits.items():
                visits.setdefault(module, {})[way] = visit
        handles = []
        for module, own in visits.items():
            handles += [
                module.register_forward_pre_hook(self._opener(own)),
                module.register_forward_hook(self._closer(own)),
            ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def repeating(self, module: torch.nn.Module) -> Iterator[None]:
        """Run a module once for tensors of equal shapes; then tell the same events again."""
        forward = module.forward
        known: dict[Any, tuple[_Events, Shape]] = {}

        def run_or_tell(*args: Any, **kwargs: Any) -> Any:
            key = tuple(shape_of(tensor) for tensor in tensors_in((args, kwargs)))
            if key in known:
                events, shape = known[key]
                self._tell(events)
                return empty(shape)
            first, alive = len(self.half), (self._half.alive, self._single.alive)
            result = forward(*args, **kwargs)
            known[key] = self._events(first, *alive), shape_of(result)
            return result

        module.forward = run_or_tell
        try:
            yield
        finally:
            module.forward = forward

    def _events(self, first: int, half: int, single: int) -> _Events:
        """Return the events from a number on, beside what was alive before."""
        return _Events(
            half=[alive - half for alive in self.half[first:]],
            single=[alive - single for alive in self.single[first:]],
            weights={way: history[first:] for way, history in self.weights.items()},
        )

    def _tell(self, events: _Events) -> None:
        self.half.extend(self._half.alive + more for more in events.half)
        self.single.extend(self._single.alive + more for more in events.single)
        for way, history in self.weights.items():
            history.extend(events.weights[way])

    def _opener(self, visits: Mapping[Way, Visit]) -> Callable[..., None]:
        def opening(*_: Any) -> None:
            self._note({way: visit.opening for way, visit in visits.items()})
            for way, visit in visits.items():
                self._at_hand[way] += visit.held

        return opening

    def _closer(self, visits: Mapping[Way, Visit]) -> Callable[..., None]:
        def closing(*_: Any) -> None:
            for way, visit in visits.items():
                self._at_hand[way] -= visit.held
            self._note({way: visit.closing for way, visit in visits.items()})

        return closing

    def _note(self, further: Mapping[Way, int]) -> None:
        """Note an event at which nothing is allocated but further weights."""
        self._half.note()
        self._single.note()
        self._note_weights(further)

    def _note_weights(self, further: Mapping[Way, int]) -> None:
        for way, history in self.weights.items():
            history.append(self._at_hand[way] + further.get(way, 0))

    def hold(self, values: Any) -> None:
        """Take what is among nested values as allocated now, unless it is known."""
        for tensor in tensors_in(values):
            self._follow(tensor, None)

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operation and follow what it made."""
        result = operation(*args, **(kwargs or {}))
        if not self.paused and not _aliases(operation):
            source = args[0] if operation is torch.ops.aten._to_copy.default else None
            for tensor in tensors_in(result):
                self._follow(tensor, source)
        return result

    def _follow(self, tensor: torch.Tensor, converted_from: torch.Tensor | None) -> None:
        storage = tensor.untyped_storage()
        number = id(storage)
        if number in self._known:
            return
        half = _Allocation(storage.nbytes())
        single = self._single_allocation(tensor, converted_from)
        self._known[number] = single
        self._half.take(half)
        self._single.take(single)
        self._note_weights({})
        # The storage's object lives as long as the storage, so its id is not used twice before.
        weakref.finalize(storage, self._forget, number, half, single).atexit = False

    def _single_allocation(
        self, tensor: torch.Tensor, converted_from: torch.Tensor | None
    ) -> _Allocation:
        """Return what holds a tensor in single precision: its source, if it is a conversion."""
        is_floating = tensor.dtype in {torch.float16, torch.float32}
        if converted_from is not None and is_floating and converted_from.is_floating_point():
            source = self._known.get(id(converted_from.untyped_storage()))
            if source is not None:
                return source
        nbytes = tensor.untyped_storage().nbytes()
        return _Allocation(nbytes * 4 // tensor.element_size() if is_floating else nbytes)

    def _forget(self, number: int, half: _Allocation, single: _Allocation) -> None:
        del self._known[number]
        self._half.give(half)
        self._single.give(single)


class _FusedAttention(TorchFunctionMode):
    """Lets attention allocate its result alone, as fused kernels do."""

    def __init__(self, follower: _Follower) -> None:
        super().__init__()
        self._follower = follower

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function; of attention, follow nothing but the result."""
        if function is not scaled_dot_product_attention:
            return function(*args, **(kwargs or {}))
        self._follower.paused = True
        result = function(*args, **(kwargs or {}))
        self._follower.paused = False
        self._follower.hold(result)
        return result


_ALIASING: dict[Any, bool] = {}


def _aliases(operation: Any) -> bool:
    """Say whether an operation writes to its arguments or returns views of them."""
    if operation not in _ALIASING:
        returned = operation._schema.returns
        _ALIASING[operation] = any(value.alias_info is not None for value in returned)
    return _ALIASING[operation]
