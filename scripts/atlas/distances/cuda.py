"""The same measures by torch, for machines that have a GPU."""

import numpy as np
import torch
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError
from atlas.distances.plan import Job
from atlas.measures import MEASURED
from atlas.tensors.tensors import ITEM_BYTES

DTYPES = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "f8_e4m3fn": torch.float8_e4m3fn,
    "f8_e5m2": torch.float8_e5m2,
}

PAIR_ELEMENTS = 1 << 26
"""Elements of differences held on the device at a time: 512 MB in float64."""


class TorchKernel:
    """Measures chunks on a device; sums run in float64 throughout."""

    def __init__(self, device: str) -> None:
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise AtlasError(
                "distances › device is cuda, but torch finds no GPU here; set it to cpu"
            )
        self._device = torch.device(device)

    def measure(self, job: Job, raw: NDArray[np.uint8], count: int) -> NDArray[np.float64]:
        """Return the sums of a chunk, as one unit: see engine.Kernel."""
        values = self._decode(job, raw, count)
        first, second = (
            torch.from_numpy(side).long().to(self._device) for side in (job.first, job.second)
        )
        step = max(1, PAIR_ELEMENTS // count)
        sums = [
            _measure(values, first[low : low + step], second[low : low + step])
            for low in range(0, first.numel(), step)
        ]
        return torch.cat(sums).cpu().numpy()[None]

    def _decode(self, job: Job, raw: NDArray[np.uint8], count: int) -> torch.Tensor:
        precision = torch.float64 if job.is_double else torch.float32
        sizes = [count * ITEM_BYTES[content.dtype] for content in job.contents]
        pieces = np.split(raw, np.cumsum(sizes)[:-1])
        # a copy, for the buffer is filled anew while the device works
        rows = [
            torch.from_numpy(piece.copy()).to(self._device).view(DTYPES[content.dtype])
            for content, piece in zip(job.contents, pieces, strict=True)
        ]
        return torch.stack([row.to(precision) for row in rows])


def _measure(values: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the sums of the terms of pairs of rows: float64 (pairs, measures)."""
    a, b = values[first], values[second]
    # the difference is taken in the elements' own precision, as on a CPU
    x, y, difference = a.double(), b.double(), (a - b).double()
    sums = []
    for measure in MEASURED:
        term = measure.term(x, y, difference)
        largest = measure.combine == "maximum"
        sums.append(term.amax(dim=1) if largest else term.sum(dim=1).double())
    return torch.stack(sums, dim=1)
