"""Measure forwards of denoisers on a CUDA GPU, with random weights in bfloat16."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from atlas.architectures import build, inputs
from atlas.architectures.architecture import Architecture
from atlas.architectures.counting import count
from atlas.basis.errors import AtlasError

DTYPE = torch.bfloat16
SPREAD = 0.02
"""Standard deviation of the weights: the usual one of their start."""
WARM_UP, REPEATS = 3, 10
PRODUCT = 8192
"""Rows and columns of the matrix product that tells what the GPU achieves at best."""
COLUMNS = [
    "device", "architecture", "width_pixels", "height_pixels", "dtype", "forward_macs",
    "milliseconds", "tflops_per_second", "best_product_tflops_per_second", "share_of_best",
]  # fmt: skip


def measure(architectures: list[Architecture]) -> list[dict[str, Any]]:
    """
    Return, per architecture at its native size, the speed of one denoiser forward.

    The peak that it is a share of is measured too, as that of one large matrix product.

    Raises
    ------
    AtlasError
        if torch finds no CUDA GPU.
    """
    if not torch.cuda.is_available():
        raise AtlasError("macs › measure: torch finds no CUDA GPU here; set it to false")
    one, other = (torch.randn(PRODUCT, PRODUCT, dtype=DTYPE, device="cuda") for _ in range(2))
    best = tflops_per_second(PRODUCT**3, milliseconds(lambda: one @ other))
    return [_measured(entry, best) for entry in architectures]


def _measured(entry: Architecture, best: float) -> dict[str, Any]:
    side = entry.native
    call, macs = forward(entry, side=side, device="cuda")
    taken = milliseconds(call)
    achieved = tflops_per_second(macs, taken)
    return {
        "device": torch.cuda.get_device_name(),
        "architecture": entry.name,
        "width_pixels": side,
        "height_pixels": side,
        "dtype": "bf16",
        "forward_macs": macs,
        "milliseconds": round(taken, 3),
        "tflops_per_second": round(achieved, 1),
        "best_product_tflops_per_second": round(best, 1),
        "share_of_best": round(achieved / best, 3),
    }


def forward(entry: Architecture, *, side: int, device: str) -> tuple[Callable[[], Any], int]:
    """Return one denoiser forward with random weights on a device, and its MACs."""
    module = build.component(entry, entry.denoiser_name, DTYPE)
    arguments = inputs.denoiser(entry, width=side, height=side, dtype=DTYPE)
    macs = count(module, arguments).total
    module = module.to_empty(device=device)
    for tensor in (*module.parameters(), *module.buffers()):
        fill(tensor.data, SPREAD)
    real = with_values(arguments, device)
    return lambda: module(**real), macs


def fill(tensor: torch.Tensor, spread: float) -> torch.Tensor:
    """Fill a tensor with normal numbers, one of integers with 0; return it."""
    return tensor.normal_(std=spread) if tensor.is_floating_point() else tensor.zero_()


def with_values(value: Any, device: str) -> Any:
    """Return inputs like meta ones with values on a device: normal numbers, integers 0."""
    if isinstance(value, torch.Tensor):
        return fill(torch.empty(value.shape, dtype=value.dtype, device=device), 1.0)
    if isinstance(value, Mapping):
        return {key: with_values(member, device) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_values(member, device) for member in value)
    return value


def tflops_per_second(macs: int, taken: float) -> float:
    """
    Return 10¹² floating-point operations per second of so many MACs in so many milliseconds.

    >>> tflops_per_second(10**12, 1000.0)
    2.0
    """
    return 2 * macs / (taken * 1e9)


def milliseconds(call: Callable[[], Any]) -> float:
    """Return the median time of a call on the GPU, after some to warm up."""
    times: list[float] = []
    with torch.no_grad():
        for turn in range(WARM_UP + REPEATS):
            start, end = (_event() for _ in range(2))
            start.record()
            call()
            end.record()
            end.synchronize()
            if turn >= WARM_UP:
                times.append(start.elapsed_time(end))
    return median(times)


def _event() -> Any:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
