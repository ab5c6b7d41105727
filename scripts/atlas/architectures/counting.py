"""
Count the multiply-accumulates (MACs) of one forward on the meta device.

FlopCounterMode counts 2 floating-point operations per MAC for every convolution and matrix
product; norms, activations and other elementwise work count as nothing. It is exact for
attention on the meta device alone: on CPU tensors, real or fake, attention counts as nothing in
silence (pytorch/pytorch#195460). So all tensors must be on the meta device, and the attention
counted is held against the shapes seen at every call of scaled_dot_product_attention.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from atlas.architectures.meta import RememberedShapes
from atlas.architectures.nested import tensors_in
from atlas.architectures.watching import AttentionCalls, LayerCall, Watch
from atlas.basis.errors import AtlasError

Kind = Literal["convolution", "linear", "attention", "other matmul"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FLAT = (torch.ops.aten.mm, torch.ops.aten.addmm)
"""Products of two matrices."""


@dataclass(frozen=True)
class Count:
    """The MACs of one forward."""

    macs: Mapping[tuple[str, Kind], int]
    """
    By (dotted path of the module, kind), each product under the innermost module that it ran in:
    the values add up to the total. The counted module itself has the path "".
    """
    layers: tuple[LayerCall, ...] = ()
    """The calls of its layers, in order."""
    attention_elements: int = 0
    """Elements of queries, keys, values and results of all scaled_dot_product_attention."""

    @property
    def total(self) -> int:
        """All MACs."""
        return sum(self.macs.values())

    def by_kind(self) -> dict[Kind, int]:
        """Return the MACs of each kind, 0 for a kind that does not occur."""
        sums = dict.fromkeys(KINDS, 0)
        for (_, kind), macs in self.macs.items():
            sums[kind] += macs
        return sums

    def within(self, path: str) -> int:
        """Return the MACs of a module and all that is in it."""
        return sum(
            macs
            for (own, _), macs in self.macs.items()
            if not path or own == path or own.startswith(path + ".")
        )


def count(
    module: torch.nn.Module,
    kwargs: Mapping[str, Any],
    *,
    method: str | None = None,
    remembered: RememberedShapes | None = None,
) -> Count:
    """
    Count the MACs of one call of a module that is on the meta device.

    Parameters
    ----------
    module
        A component as `atlas.architectures.build.component` makes it.
    kwargs
        The call's keyword arguments, from `atlas.architectures.inputs`.
    method
        The method that is called (`decode`, `encode`); the forward by default.
    remembered
        Shapes that earlier counts have met: counting many models is faster with one for all.

    Raises
    ------
    AtlasError
        if a tensor is not on the meta device, nothing was counted, or the attention counted is
        less than the calls of scaled_dot_product_attention need.
    """
    check_meta(module, kwargs)
    call = module if method is None else getattr(module, method)
    calls, products = AttentionCalls(), Products(module)
    shapes = remembered or RememberedShapes()
    with torch.no_grad(), shapes, products.counter, calls, Watch(module) as watch:
        products.watch, products.calls = watch, calls
        call(**kwargs)
    result = Count(dict(products.macs), tuple(watch.calls), calls.elements)
    _check(result, products.counter.get_total_flops(), calls.macs, _called(module, method))
    return result


class Products:
    """Notes every product that FlopCounterMode counts under the module and kind it belongs to."""

    watch: Watch
    calls: AttentionCalls

    def __init__(self, module: torch.nn.Module) -> None:
        self.macs: Counter[tuple[str, Kind]] = Counter()
        self._modules = dict(module.named_modules())
        self._kinds: dict[tuple[str, bool, bool], Kind] = {}
        formulas = {
            operation: self._noting(operation, formula)
            for operation, formula in flop_registry.items()
        }
        self.counter = FlopCounterMode(display=False, custom_mapping=formulas)

    def _noting(self, operation: Any, formula: Callable[..., int]) -> Callable[..., int]:
        """Return torch's own formula that also notes what it gives."""
        is_convolution = "convolution" in str(operation)
        is_flat = operation in FLAT

        def noted(*args: Any, **kwargs: Any) -> int:
            flops = formula(*args, **kwargs)
            path = self.watch.path
            kind = "convolution" if is_convolution else self._kind(path, is_flat)
            self.macs[path, kind] += flops // 2
            return flops

        noted._get_raw = True  # type: ignore[attr-defined]  # tensors as they are, not shapes
        return noted

    def _kind(self, path: str, is_flat: bool) -> Kind:
        key = path, is_flat, self.calls.running
        if key not in self._kinds:
            in_attention = self.calls.running
            self._kinds[key] = "attention" if in_attention else _kind(path, is_flat, self._modules)
        return self._kinds[key]


def _kind(path: str, is_flat: bool, modules: Mapping[str, torch.nn.Module]) -> Kind:
    """
    Tell the kind of a matrix product outside scaled_dot_product_attention.

    Products of two matrices are with weights, in layers or, as HunyuanDiT's pooling has them,
    outside; those of batches of matrices within a module that is called an attention are of two
    activations: attention that is written out, as in T5 and in linear attention.
    """
    if is_flat or isinstance(modules[path], torch.nn.Linear):
        return "linear"
    parts = path.split(".")
    holders = (modules[".".join(parts[:length])] for length in range(len(parts), 0, -1))
    if any("attention" in type(holder).__name__.lower() for holder in holders):
        return "attention"
    return "other matmul"


def _check(result: Count, flops: int, attention_needed: int, what: str) -> None:
    """Raise AtlasError where a count can't be the whole truth: no number beats a wrong one."""
    if not flops:
        raise AtlasError(f"{what}: nothing was counted: it multiplies nothing")
    if 2 * result.total != flops:
        raise AtlasError(f"{what}: {result.total:,} MACs were told apart of {flops:,} FLOPs")
    attention = result.by_kind()["attention"]
    if attention < attention_needed:
        raise AtlasError(
            f"{what}: its attention needs {attention_needed:,} MACs by the shapes of queries, keys "
            f"and values, but only {attention:,} were counted: this version of torch "
            f"({torch.__version__}) does not count attention on the meta device"
        )


def check_meta(module: torch.nn.Module, kwargs: Mapping[str, Any]) -> None:
    """Raise AtlasError unless all parameters, buffers and inputs are on the meta device."""
    for name, parameter in module.named_parameters():
        _check_tensor(f"{type(module).__name__}: parameter {name}", parameter)
    for name, buffer in module.named_buffers():
        _check_tensor(f"{type(module).__name__}: buffer {name}", buffer)
    for name, value in kwargs.items():
        for tensor in tensors_in(value):
            _check_tensor(f"{type(module).__name__}: input {name}", tensor)


def _check_tensor(what: str, tensor: torch.Tensor) -> None:
    if tensor.device.type != "meta":
        raise AtlasError(
            f"{what} is on {tensor.device}, not on the meta device: elsewhere attention counts "
            "as nothing; build it with atlas.architectures.build.component"
        )


def _called(module: torch.nn.Module, method: str | None) -> str:
    return type(module).__name__ + (f".{method}" if method else "")
