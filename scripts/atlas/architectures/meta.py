"""What models need to run on the meta device, and to run there fast."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from atlas.architectures.nested import tensors_in

Shape = tuple[torch.Size, tuple[int, ...], torch.dtype]
"""Size, strides and dtype: all that there is to a meta tensor."""


def prepare(module: torch.nn.Module) -> None:
    """Give a module what its parts need to run on the meta device."""
    for part in module.modules():
        name = type(part).__name__
        if name in HOOKS:
            part.register_forward_pre_hook(HOOKS[name])
        for method, replacement in METHODS.get(name, {}).items():
            setattr(part, method, partial(replacement, part))


def _with_mask_of_values(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """
    Hand Lumina 2's positions a mask that has values: ones, and zeros over the padding.

    They read the lengths of the texts with mask.sum().tolist(), which a meta tensor can't
    answer. How many tokens are no padding comes with the mask that config/calls describes; a mask
    of which nothing is said is all ones.
    """
    hidden_states, mask = inputs
    attended = getattr(mask, "attended", mask.shape[1])
    values = (torch.arange(mask.shape[1]) < attended).to(torch.int64)
    return hidden_states, values.expand(mask.shape)


HOOKS: dict[str, Callable[..., Any]] = {"Lumina2RotaryPosEmbed": _with_mask_of_values}
"""Class name of a part to the hook that runs before its forward."""


def _evenly_routed(
    part: Any, x: torch.Tensor, experts: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """
    Run HiDream's experts on equal shares of the tokens.

    Which expert a token goes to depends on values. That each goes to so many of them does not: the
    multiplications are exact, whatever the shares.
    """
    rows = experts.shape[0]
    bounds = [number * rows // len(part.experts) for number in range(len(part.experts) + 1)]
    result = torch.zeros_like(x)
    for number, expert in enumerate(part.experts):
        chosen = experts[bounds[number] : bounds[number + 1]]
        made = expert(x[chosen]) * weights[bounds[number] : bounds[number + 1]]
        result.scatter_reduce_(0, chosen.view(-1, 1).repeat(1, x.shape[-1]), made, reduce="sum")
    return result


def _turned_in_float32(
    _: Any, frequencies: torch.Tensor, positions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make Mochi's rotary positions, whose autocast does not know the meta device."""
    turned = torch.einsum("nd,dhf->nhf", positions.float(), frequencies.float())
    return turned.cos(), turned.sin()


def _angles_of_axes(part: Any, ids: torch.Tensor) -> torch.Tensor:
    """Return what ERNIE-Image's rotary positions are as large as: theirs ask for an autocast."""
    size = sum(part.axes_dim)
    return torch.empty(*ids.shape[:-1], 1, size, dtype=torch.float32, device=ids.device)


def _angles_of_tokens(
    part: Any, hidden_states: torch.Tensor, position_ids: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what OmniGen's rotary positions are as large as: theirs ask for the largest."""
    shape = position_ids.shape[-1], part.dim
    angles = torch.empty(shape, dtype=torch.float32, device=hidden_states.device)
    return angles.cos(), angles.sin()


METHODS: dict[str, dict[str, Callable[..., Any]]] = {
    "ErnieImageEmbedND3": {"forward": _angles_of_axes},
    "MOEFeedForwardSwiGLU": {"moe_infer": _evenly_routed},
    "MochiRoPE": {"_create_rope": _turned_in_float32},
    "OmniGenSuScaledRotaryEmbedding": {"forward": _angles_of_tokens},
}
"""Class name of a part to its methods that are replaced: they need values, or a real device."""


class RememberedShapes(TorchDispatchMode):
    """
    Answer operations on meta tensors from memory once an equal one was seen.

    Torch works out the shapes of most operations in Python, a millisecond each; the blocks of
    a model repeat the same ones. Views and operations in place always run, so that tensors
    share storage as they do without. Enter it before other modes, which then see every
    operation as ever:

    >>> with RememberedShapes(), FlopCounterMode(display=False) as counter:  # doctest: +SKIP
    ...     denoiser(**inputs.denoiser(architecture, width=1024, height=1024))
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known: dict[Any, Shape | list[Shape]] = {}
        self._aliasing: dict[Any, bool] = {}

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run one operation, or make empty tensors like those it gave before."""
        kwargs = kwargs or {}
        key = (operation, _described(args), _described(tuple(kwargs.items())))
        known = self._known.get(key)
        if known is not None:
            return [empty(s) for s in known] if isinstance(known, list) else empty(known)
        result = operation(*args, **kwargs)
        if not self._aliases(operation) and _is_meta((args, kwargs)):
            if _storages((args, kwargs)) & _storages(result):
                # _unsafe_view and the like return views, whatever their schema says.
                self._aliasing[operation] = True
            else:
                self._remember(key, result)
        return result

    def _aliases(self, operation: Any) -> bool:
        """Say whether an operation writes to its arguments or returns views of them."""
        if operation not in self._aliasing:
            schema = operation._schema
            self._aliasing[operation] = any(
                value.alias_info is not None for value in (*schema.arguments, *schema.returns)
            )
        return self._aliasing[operation]

    def _remember(self, key: Any, result: Any) -> None:
        if isinstance(result, torch.Tensor):
            self._known[key] = shape_of(result)
        elif isinstance(result, tuple | list) and all(
            isinstance(value, torch.Tensor) for value in result
        ):
            self._known[key] = [shape_of(value) for value in result]


def _described(value: Any) -> Any:
    """Return what an operation's shapes depend on, hashable: types too, as 1 equals True."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype, value.device
    if isinstance(value, tuple | list):
        return tuple(_described(member) for member in value)
    return type(value), value


def _is_meta(values: Any) -> bool:
    """Say whether there are tensors among nested arguments and all are on the meta device."""
    return {tensor.device.type for tensor in tensors_in(values)} == {"meta"}


def _storages(values: Any) -> set[int]:
    """Return the addresses of the storages of nested tensors."""
    return {tensor.untyped_storage()._cdata for tensor in tensors_in(values)}


def shape_of(tensor: torch.Tensor) -> Shape:
    """Return all that there is to a meta tensor."""
    return tensor.shape, tensor.stride(), tensor.dtype


def empty(shape: Shape) -> torch.Tensor:
    """Return a meta tensor of a shape."""
    size, strides, dtype = shape
    return torch.empty_strided(size, strides, dtype=dtype, device="meta")
