"""Rows: one sample each, of numpy or of a file, read in blocks and never without a look for NaN."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError

READ_AS = (np.dtype(np.float16), np.dtype(np.float32))
"""What rows may hold; both are exact in float32."""
READING_BYTES = 8
"""Of memory per value while a block is read: as it lies in the file, and as float32."""


class Rows(Protocol):
    """
    Samples along the first axis; a numpy array and an h5py dataset are such.

    Further axes are flattened. Values are float16 or float32. Only slices of samples are asked for.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples first."""
        ...

    def __getitem__(self, samples: slice, /) -> Any:
        """Return an array of these samples."""
        ...


class Chosen:
    """
    Some of the samples of other rows, as rows.

    Parameters
    ----------
    rows
        What they are chosen from.
    samples
        Shape (m,): their places there, in the order wanted.
    """

    def __init__(self, rows: Rows, samples: NDArray[np.integer[Any]]) -> None:
        self._rows = rows
        self._samples = samples
        self.shape = (len(samples), *rows.shape[1:])

    def __getitem__(self, samples: slice, /) -> NDArray[Any]:
        """Return these samples, read one by one."""
        wanted = self._samples[samples]
        if not len(wanted):
            return np.asarray(self._rows[0:0])
        return np.concatenate([self._rows[int(place) : int(place) + 1] for place in wanted])


@dataclass(frozen=True)
class NonFinite:
    """How much of some rows is NaN or infinite."""

    samples: int
    values: int


def width(rows: Rows) -> int:
    """Return the number of features: all axes but the first, flattened."""
    return int(np.prod(rows.shape[1:], dtype=np.int64))


def read(rows: Rows, start: int, stop: int) -> NDArray[np.float32]:
    """
    Return samples as a new float32 array, shape (stop - start, features).

    Raises
    ------
    AtlasError
        When they hold something else than float16 or float32.
    """
    found = np.asarray(rows[start:stop])
    if found.dtype not in READ_AS:
        raise AtlasError(f"rows of {found.dtype} can't be projected; store float16 or float32")
    return np.array(found.reshape(len(found), width(rows)), dtype=np.float32)


def blocks(rows: Rows, size: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Read the rows in order, so many at a time: where they stand, and a copy to work on."""
    for start in range(0, rows.shape[0], size):
        stop = min(start + size, rows.shape[0])
        yield slice(start, stop), read(rows, start, stop)


def block_size(
    rows: Rows, memory_bytes: int, *, per_value: float, fixed: int = 0, most: int, what: str
) -> int:
    """
    Return how many rows fit in memory at once, at most `most`.

    Parameters
    ----------
    rows
        To be read.
    memory_bytes
        The setting.
    per_value
        Bytes for each value of a block, reading and working copies together.
    fixed
        Bytes that are needed whatever the block.
    most
        More would not make it faster.
    what
        What the rows are, for a message.

    Raises
    ------
    AtlasError
        When not one row fits, with the memory that would do.
    """
    each = max(1.0, width(rows) * per_value)
    fitting = int((memory_bytes - fixed) / each)
    if fitting < 1:
        needed = fixed + each
        raise AtlasError(
            f"{what}: samples of {width(rows):,} values need {needed / 1e6:,.1f} MB to be worked"
            f" on, but the memory is set to {memory_bytes / 1e6:,.1f} MB; raise it"
        )
    return min(fitting, most)


def holds_non_finite(block: NDArray[np.float32]) -> bool:
    """Tell whether a block has a NaN or an infinite value; takes no memory of the block's size."""
    return bool(block.size) and not (np.isfinite(block.min()) and np.isfinite(block.max()))


def count_non_finite(rows: Rows, size: int = 1) -> NonFinite:
    """Count NaN and infinite values, and the samples that have any; reads `size` rows at a time."""
    samples = values = 0
    for _, block in blocks(rows, size):
        if holds_non_finite(block):
            found = np.count_nonzero(~np.isfinite(block), axis=1)
            samples += int(np.count_nonzero(found))
            values += int(found.sum())
    return NonFinite(samples, values)


def require_finite(block: NDArray[np.float32], rows: Rows, size: int, what: str) -> None:
    """
    Refuse rows of which this block holds a value that is not finite.

    Raises
    ------
    AtlasError
        With the number of samples concerned: all rows are read once more to count them.
    """
    if holds_non_finite(block):
        found = count_non_finite(rows, size)
        raise AtlasError(
            f"{what}: {found.samples:,} of {rows.shape[0]:,} samples hold NaN or infinite values"
            f" ({found.values:,} in all); leave these samples out, or store float32 if float16"
            " overflowed"
        )


def require_samples(rows: Rows, what: str) -> None:
    """Refuse rows without a sample or without a feature, by an AtlasError."""
    if rows.shape[0] < 1 or width(rows) < 1:
        shape = " × ".join(map(str, rows.shape))
        raise AtlasError(f"{what}: nothing to project in {shape} values; take at least one sample")
