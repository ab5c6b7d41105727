"""Draw batches with a probe, and halve them where a device has too little memory."""

import logging
from collections.abc import Callable

import numpy as np
import torch

from atlas.activations.probes.probe import Images
from atlas.activations.recorder import Kept, Recorder
from atlas.activations.samples import Batch
from atlas.basis.errors import AtlasError

LOG = logging.getLogger(__name__)

Work = Callable[[Batch], Images]
Values = dict[tuple[str, float], Kept]


def device_of(name: str) -> torch.device:
    """
    Return the device of a name.

    Raises
    ------
    AtlasError
        It is asked for, and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise AtlasError(
            "device: cuda is asked for, but torch finds no GPU that it can use; run on a node that "
            "has one, or set device: cpu"
        )
    return torch.device(name)


class Drawer:
    """
    Does the work of whole batches, in parts where a whole one does not fit.

    Parameters
    ----------
    work
        Draws a batch's images with the recorder on.
    """

    def __init__(self, work: Work, recorder: Recorder) -> None:
        self._work = work
        self._recorder = recorder
        self.most: int | None = None
        """Samples of a part, where the memory was too small for a whole batch."""

    def draw(self, batch: Batch) -> tuple[Images, Values]:
        """
        Return a batch's images and what the layers gave.

        Raises
        ------
        AtlasError
            There is too little memory for a single sample.
        """
        while True:
            size = min(self.most or len(batch), len(batch))
            try:
                return self._in_parts(batch, size)
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if not _lacks_memory(error):
                    raise
                self._recorder.taken()
                self._halve(size, error)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _in_parts(self, batch: Batch, size: int) -> tuple[Images, Values]:
        parts = [
            self._work(Batch(batch.seed, batch.indices[start : start + size]))
            for start in range(0, len(batch), size)
        ]
        return np.concatenate(parts), self._recorder.taken()

    def _halve(self, size: int, error: BaseException) -> None:
        if size == 1:
            raise AtlasError(
                f"there is too little memory for one sample ({error}); use a device with more, a "
                "smaller size, or precision: float16 on a GPU"
            ) from error
        self.most = size // 2
        LOG.warning(
            "too little memory for %d samples at once: going on with %d; the last bits of numbers "
            "may differ from those of whole batches",
            size,
            self.most,
        )


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # torch's allocator for the CPU has no class of its own
    return "can't allocate memory" in str(error) or "out of memory" in str(error)
