"""Measure forwards of denoisers on a CUDA GPU, with random weights in bfloat16."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from atlas.architectures import build, catalogue, inputs
from atlas.errors import AtlasError
from atlas.macs.counting import count

DTYPE = torch.bfloat16
WARM_UP, REPEATS = 3, 10
PRODUCT = 8192
"""Rows and columns of the matrix product that tells what the GPU achieves at best."""
COLUMNS = [
    "device", "architecture", "width_pixels", "height_pixels", "dtype", "forward_macs",
    "milliseconds", "tflops_per_second", "best_product_tflops_per_second", "share_of_best",
]  # fmt: skip


def measure(names: list[str]) -> list[dict[str, Any]]:
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
    best = 2 * PRODUCT**3 / (_milliseconds(_product()) * 1e9)
    return [_measured(name, best) for name in names]


def _measured(name: str, best: float) -> dict[str, Any]:
    entry = catalogue.load(name)
    side = entry.native
    module = build.component(entry, entry.denoiser_name, DTYPE)
    arguments = inputs.denoiser(entry, width=side, height=side, dtype=DTYPE)
    macs = count(module, arguments).total
    module = module.to_empty(device="cuda")
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data.normal_(std=0.02) if tensor.is_floating_point() else tensor.zero_()
    real = on_cuda(arguments)
    milliseconds = _milliseconds(lambda: module(**real))
    achieved = 2 * macs / (milliseconds * 1e9)
    return {
        "device": torch.cuda.get_device_name(),
        "architecture": name,
        "width_pixels": side,
        "height_pixels": side,
        "dtype": "bf16",
        "forward_macs": macs,
        "milliseconds": round(milliseconds, 3),
        "tflops_per_second": round(achieved, 1),
        "best_product_tflops_per_second": round(best, 1),
        "share_of_best": round(achieved / best, 3),
    }


def on_cuda(value: Any) -> Any:
    """Return inputs like meta ones with values: normal floats, integers 0."""
    if isinstance(value, torch.Tensor):
        real = torch.zeros(value.shape, dtype=value.dtype, device="cuda")
        return real.normal_() if real.is_floating_point() else real
    if isinstance(value, Mapping):
        return {key: on_cuda(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(on_cuda(member) for member in value)
    return value


def _product() -> Callable[[], torch.Tensor]:
    one, other = (torch.randn(PRODUCT, PRODUCT, dtype=DTYPE, device="cuda") for _ in range(2))
    return lambda: one @ other


def _milliseconds(call: Callable[[], Any]) -> float:
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
