"""What models need to run on the meta device, and to run there fast."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from atlas.architectures.nested import tensors_in

Shape = tuple[torch.Size, tuple[int, ...], torch.dtype]
"""Size, strides and dtype: all that there is to a meta tensor."""


def prepare(module: torch.nn.Module) -> None:
    """Give a module the hooks that its parts need to run on the meta device."""
    for part in module.modules():
        hook = HOOKS.get(type(part).__name__)
        if hook is not None:
            part.register_forward_pre_hook(hook)


def _with_full_mask(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """
    Hand Lumina 2's positions a mask of ones that has values.

    They read the lengths of the texts with mask.sum().tolist(), which a meta tensor can't
    answer; all texts made here are unpadded, so the mask is known to be ones.
    """
    hidden_states, mask = inputs
    return hidden_states, torch.ones(mask.shape, dtype=torch.int64, device="cpu")


HOOKS: dict[str, Callable[..., Any]] = {"Lumina2RotaryPosEmbed": _with_full_mask}
"""Class name of a part to the hook that runs before its forward."""


@contextmanager
def attending(module: torch.nn.Module, tokens: int) -> Iterator[None]:
    """Mask all text tokens but so many, for a model that drops what is masked (Lumina 2)."""

    def shorten(_: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden_states, mask = inputs
        mask = mask.clone()
        mask[:, tokens:] = 0
        return hidden_states, mask

    parts = [part for part in module.modules() if type(part).__name__ in HOOKS]
    handles = [part.register_forward_pre_hook(shorten) for part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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
            return [_empty(s) for s in known] if isinstance(known, list) else _empty(known)
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
            self._known[key] = _shape(result)
        elif isinstance(result, tuple | list) and all(
            isinstance(value, torch.Tensor) for value in result
        ):
            self._known[key] = [_shape(value) for value in result]


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


def _shape(tensor: torch.Tensor) -> Shape:
    return tensor.shape, tensor.stride(), tensor.dtype


def _empty(shape: Shape) -> torch.Tensor:
    size, strides, dtype = shape
    return torch.empty_strided(size, strides, dtype=dtype, device="meta")
