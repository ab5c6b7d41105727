"""
Peak memory of a forward: weights, buffers and the largest set of activations alive at one time.

Tensors on the meta device are made and freed as on a real one, so every allocation of a forward
and its end can be followed without memory. What is counted: all that a forward allocates, its
inputs too. What is not: scratch space of kernels (attention is taken to be fused: its matrix of
scores is never stored; convolutions without workspace), the allocator's rounding and caches, and
the context of the device (some 300 to 500 MB).

At every event of a forward the bytes alive are affine in the number of image pixels, so forwards
at two sizes give all sizes: exact wherever the model runs the same operations at each.
"""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from atlas.architectures.meta import RememberedShapes
from atlas.architectures.nested import tensors_in

Precision = Literal["half", "single"]
"""Activations of 2 or of 4 bytes."""

WEIGHT_BYTES = {"f32": 4, "f16": 2, "bf16": 2, "f8": 1}
"""Bytes per parameter by dtype."""

ACTIVATIONS: dict[str, Precision] = {"f32": "single", "f16": "half", "bf16": "half", "f8": "half"}
"""Precision of the activations by the weights' dtype: f8 is for storage, not for arithmetic."""


@dataclass(frozen=True)
class LiveBytes:
    """Bytes of activations alive after every event (an allocation or an end) of a forward."""

    pixels: int
    half: Sequence[int]
    """If the model runs in 16 bit: what it computes in float32 on its own stays float32."""
    single: Sequence[int]
    """If it runs in float32: conversions between precisions are none."""


@dataclass(frozen=True)
class Peak:
    """The most bytes of activations alive at one time of a forward at one size."""

    half: int
    single: int
    is_inferred: bool
    """From forwards at two other sizes, not from one at this size."""

    def at(self, precision: Precision) -> int:
        """Return the bytes under a precision."""
        return self.half if precision == "half" else self.single


def peaks(run: Callable[[int], LiveBytes], sides: Sequence[int]) -> dict[int, Peak]:
    """
    Return the peak at every side in pixels of a square image.

    Two sizes are run; the others are inferred if both ran the same events, and else run too:
    some models pad their tokens to multiples, or resize their table of positions.
    """
    first, last = run(sides[0]), run(sides[-1])
    found = {sides[0]: _measured(first), sides[-1]: _measured(last)}
    for side in sides[1:-1]:
        found[side] = _inferred(first, last, side**2) or _measured(run(side))
    return dict(sorted(found.items()))


def _measured(live: LiveBytes) -> Peak:
    return Peak(max(live.half, default=0), max(live.single, default=0), is_inferred=False)


def _inferred(small: LiveBytes, large: LiveBytes, pixels: int) -> Peak | None:
    """Return the peak at a number of pixels between two others; None if they are not alike."""
    if (len(small.half), len(small.single)) != (len(large.half), len(large.single)):
        return None
    share = (pixels - small.pixels) / (large.pixels - small.pixels)
    return Peak(
        half=_most_between(small.half, large.half, share),
        single=_most_between(small.single, large.single, share),
        is_inferred=True,
    )


def _most_between(few: Sequence[int], many: Sequence[int], share: float) -> int:
    return max(round(low + share * (high - low)) for low, high in zip(few, many, strict=True))


def live_bytes(
    call: Callable[..., Any],
    arguments: Mapping[str, Any],
    *,
    pixels: int,
    remembered: RememberedShapes | None = None,
) -> LiveBytes:
    """
    Follow one call on the meta device in float16 and return the bytes alive at each event.

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
    """
    follower = _Follower()
    follower.hold(arguments)
    with torch.no_grad(), remembered or RememberedShapes(), follower, _FusedAttention(follower):
        result = call(**arguments)
        follower.hold(result)
    return LiveBytes(pixels, follower.half, follower.single)


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
        self.history.append(self.alive)

    def give(self, allocation: _Allocation) -> None:
        allocation.holders -= 1
        if not allocation.holders:
            self.alive -= allocation.size


class _Follower(TorchDispatchMode):
    """Follows storages from the operation that makes them until they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._half, self._single = _Ledger(), _Ledger()
        self._known: dict[int, _Allocation] = {}
        """By id of a storage that is alive: what it takes in single precision."""
        self.paused = False

    @property
    def half(self) -> list[int]:
        return self._half.history

    @property
    def single(self) -> list[int]:
        return self._single.history

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
