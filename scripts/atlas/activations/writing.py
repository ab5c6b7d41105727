"""Write a chunk's maps and images while the next batch is drawn, and gather what is small."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atlas.activations import images, storage
from atlas.activations.layers import Layer
from atlas.activations.places import Places
from atlas.activations.recorder import Kept
from atlas.activations.samples import Batch

Key = tuple[str, float]
"""Layer and time."""


class ChunkWriter:
    """
    What one chunk holds, batch after batch.

    Parameters
    ----------
    start, stop
        The chunk's first sample, and that after its last.
    dtype
        Of the maps: float16 or float32.
    pictures
        `full`, `thumbnail` or `none`.
    """

    def __init__(
        self,
        places: Places,
        layers: Sequence[Layer],
        times: Sequence[float],
        *,
        start: int,
        stop: int,
        dtype: str,
        pictures: str,
    ) -> None:
        self._places, self._pictures = places, pictures
        self.start, self.stop = start, stop
        count = stop - start
        keys = [(layer, time) for layer in layers for time in times]
        self._means = {
            (layer.name, time): np.empty((count, layer.width), np.float32) for layer, time in keys
        }
        self.rms = {(layer.name, time): np.empty(count, np.float32) for layer, time in keys}
        """Root mean square of each sample's values."""
        self.nonfinite = {(layer.name, time): np.empty(count, np.int64) for layer, time in keys}
        """How many of each sample's values are NaN or infinite."""
        self.image_files: list[str | None] = [None] * count
        """By row, below the chunk's folder."""
        self._pool = ThreadPoolExecutor(1)
        self._waiting: Future[None] | None = None
        self._maps = (
            None
            if places.maps is None
            else storage.MapsWriter(places.maps, layers, times, samples=count, dtype=dtype)
        )
        if pictures != "none":
            (places.folder / storage.IMAGES).mkdir()

    def __enter__(self) -> "ChunkWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._wait()
                storage.write_means(self._places.means, self._means)
        finally:
            self._pool.shutdown()
            if self._maps:
                self._maps.close()

    def add(self, batch: Batch, drawn: NDArray[np.uint8], values: Mapping[Key, Kept]) -> None:
        """
        Take what was seen of a batch; its samples outside of the chunk are dropped.

        Parameters
        ----------
        drawn
            (samples, height, width, 3).
        """
        inside = [
            place for place, index in enumerate(batch.indices) if self.start <= index < self.stop
        ]
        within = slice(inside[0], inside[-1] + 1)
        first = batch.indices[inside[0]] - self.start
        rows = slice(first, first + len(inside))
        for key, kept in values.items():
            self._means[key][rows] = _joined(kept.means)[within]
            self.rms[key][rows] = _joined(kept.rms)[within]
            self.nonfinite[key][rows] = _joined(kept.nonfinite)[within]
        maps = {key: _joined(kept.maps)[within] for key, kept in values.items() if kept.maps}
        self._wait()
        self._waiting = self._pool.submit(self._write, first, drawn[within], maps)

    def _write(
        self, first: int, drawn: NDArray[np.uint8], maps: Mapping[Key, NDArray[Any]]
    ) -> None:
        if self._maps is not None:
            for (layer, time), values in maps.items():
                self._maps.write(layer, time, first, values)
        if self._pictures == "none":
            return
        for row, image in enumerate(drawn, first):
            name = f"{storage.IMAGES}/{self.start + row:06d}.png"
            images.write(
                image, self._places.folder / name, is_thumbnail=self._pictures == "thumbnail"
            )
            self.image_files[row] = name

    def _wait(self) -> None:
        if self._waiting is not None:
            self._waiting.result()
            self._waiting = None


def _joined(parts: Sequence[torch.Tensor]) -> NDArray[Any]:
    joined: NDArray[Any] = (parts[0] if len(parts) == 1 else torch.cat(list(parts))).numpy()
    return joined
