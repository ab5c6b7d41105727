"""Watch a forward: which module runs, which layers were called, what attention was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer: a module without children that has a weight."""

    layer: torch.nn.Module
    path: str
    received: tuple[int, ...]
    """Shape of the first input, empty where it came by keyword."""
    returned: tuple[int, ...]
    """Shape of the output."""


class Watch:
    """
    Follows a module's forward by hooks that all modules call.

    The path is that of execution: a layer that is called by another than its parent, as in
    Lumina-Next, still counts as itself.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.calls: list[LayerCall] = []
        self._paths = {part: path for path, part in module.named_modules()}
        self._running: list[str] = [""]
        self._handles: list[Any] = []

    @property
    def path(self) -> str:
        """The dotted path of the innermost module that runs; "" for the module itself."""
        return self._running[-1]

    def __enter__(self) -> "Watch":
        self._handles = [
            register_module_forward_pre_hook(self._entered),
            register_module_forward_hook(self._left, always_call=True),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _entered(self, module: torch.nn.Module, _: Any) -> None:
        self._running.append(self._paths.get(module, self.path))

    def _left(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        path = self._running.pop()
        if "weight" in module._parameters and not module._modules:
            received = inputs[0].shape if inputs else ()
            # A gate of experts gives several tensors, of one length.
            result = output[0] if isinstance(output, tuple) else output
            self.calls.append(LayerCall(module, path, tuple(received), tuple(result.shape)))


class AttentionCalls(TorchFunctionMode):
    """Adds up what calls of scaled_dot_product_attention need by their arguments' shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0
        self.elements = 0
        """Of queries, keys, values and results."""
        self.running = False
        """Whether a product is made within such a call."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function, and note it if it is attention."""
        kwargs = kwargs or {}
        if function is not scaled_dot_product_attention:
            return function(*args, **kwargs)
        named = dict(zip(("query", "key", "value"), args, strict=False)) | kwargs
        query, key, value = (named[name] for name in ("query", "key", "value"))
        self.macs += attention_macs(query, key, value)
        self.elements += 2 * query.numel() + key.numel() + value.numel()
        self.running = True
        try:
            return function(*args, **kwargs)
        finally:
            self.running = False


def attention_macs(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> int:
    """
    Return the MACs of the two products of attention, from shapes alone.

    query is [..., N_q, d_k], key [..., N_k, d_k], value [..., N_k, d_v]; heads of keys and values
    that are shared by several queries' are counted once per query head:
    batch x heads x N_q x N_k x (d_k + d_v).
    """
    *batch_and_heads, queries, width = query.shape
    return prod(batch_and_heads) * queries * key.shape[-2] * (width + value.shape[-1])
