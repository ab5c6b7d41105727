"""
Files of a chunk: means and maps by layer and time in HDF5, equal bytes for equal values.

One sample is one chunk of the file, so that any of them can be read alone; nothing is compressed,
since activations hardly shrink.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError

MEANS = "means.h5"
TABLE = "samples.parquet"
IMAGES = "images"
MAPS = "maps"


class Shaped(Protocol):
    """What storage needs to know of a layer."""

    @property
    def name(self) -> str:
        """Names its file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""

    @property
    def width(self) -> int:
        """Of the mean."""


def time_key(time: float) -> str:
    """
    Return what a noise level or timestep is called in files.

    >>> time_key(80.0), time_key(0.002), time_key(801)
    ('80', '0.002', '801')
    """
    return f"{time:g}" if float(f"{time:g}") == time else repr(float(time))


def maps_file(folder: Path, layer: str) -> Path:
    """Return the file of a layer's maps."""
    return folder / f"{layer}.h5"


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Hand out a new HDF5 file, closed when the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        yield file


class MapsWriter:
    """
    Write the maps of one chunk, a file a layer, batch after batch.

    Parameters
    ----------
    samples
        Of the chunk.
    dtype
        float16 or float32.
    """

    def __init__(
        self,
        folder: Path,
        layers: Iterable[Shaped],
        times: Iterable[float],
        *,
        samples: int,
        dtype: str,
    ) -> None:
        self._files = []
        self._sets: dict[tuple[str, float], Any] = {}
        times = tuple(times)
        folder.mkdir(parents=True, exist_ok=True)
        for layer in layers:
            path = maps_file(folder, layer.name)
            file = h5py.File(path, "w", libver=("v110", "v110"))
            self._files.append(file)
            for time in times:
                self._sets[layer.name, time] = file.create_dataset(
                    time_key(time),
                    shape=(samples, *layer.shape),
                    dtype=dtype,
                    chunks=(1, *layer.shape),
                    fillvalue=np.nan,
                )

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()

    def write(self, layer: str, time: float, first: int, values: NDArray[Any]) -> None:
        """Write samples from a row on: (samples, *shape), contiguous, in the files' dtype."""
        kept = self._sets[layer, time]
        corner = (0,) * (values.ndim - 1)
        for row, value in enumerate(values, first):
            kept.id.write_direct_chunk((row, *corner), value.tobytes())


def write_means(path: Path, means: Mapping[tuple[str, float], NDArray[np.float32]]) -> None:
    """Write means, (samples, width) each, as layer/time."""
    with created(path) as file:
        for (layer, time), values in means.items():
            file.create_dataset(f"{layer}/{time_key(time)}", data=values, dtype="float32")


class ChunkedRows:
    """
    One layer's values of all samples, chunk after chunk, read by slices.

    Parameters
    ----------
    places
        File, dataset in it and number of its rows that count, in order.
    """

    def __init__(self, places: Iterable[tuple[Path, str, int]]) -> None:
        self._places = tuple(places)
        self._starts = np.cumsum([0, *(rows for _, _, rows in self._places)])
        path, key, _ = self._places[0]
        with _opened(path) as file:
            self._width = file[key].shape[1:]
            self.dtype = file[key].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples first."""
        return (int(self._starts[-1]), *self._width)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def parts(self) -> Iterator[tuple[int, int, Path, str]]:
        """Yield first row, row after the last, file and dataset of each chunk."""
        for start, (path, key, rows) in zip(self._starts, self._places, strict=False):
            yield int(start), int(start) + rows, path, key

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Return rows of a slice without steps."""
        start, stop, _ = rows.indices(len(self))
        parts = []
        for number, (path, key, count) in enumerate(self._places):
            low = max(start - self._starts[number], 0)
            high = min(stop - self._starts[number], count)
            if low < high:
                with _opened(path) as file:
                    parts.append(file[key][low:high])
        if not parts:
            return np.empty((0, *self._width), self.dtype)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise AtlasError(
            f"{path}: can't be read ({error}); delete it and run again, and it is made anew"
        ) from error
