"""Read a range of a tensor's elements, wherever its parts lie, into one buffer in C order."""

from collections.abc import Iterator
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements.files import OpenFiles
from atlas.tensors.tensors import ITEM_BYTES, Part

SPAN_BYTES = 1 << 22
"""Most bytes that are read at once to pick a strided part's elements out of them."""

SPARSE_BYTES = 1 << 16
"""Spans above this are split when they hold more foreign than own bytes."""


class Stored(Protocol):
    """What reading needs to know of a tensor: Tensor has it, and so has a distances' content."""

    @property
    def dtype(self) -> str:
        """One of ITEM_BYTES."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Places in files, in order."""


def read_range(files: OpenFiles, tensor: Stored, start: int, buffer: NDArray[np.uint8]) -> None:
    """
    Fill the buffer with the tensor's bytes from element `start` on, in C order.

    Parameters
    ----------
    buffer
        uint8, contiguous, a whole number of elements long and within the tensor.
    """
    item = ITEM_BYTES[tensor.dtype]
    if len(tensor.parts) == 1:
        _read_part(files, tensor.parts[0], item, start, buffer)
        return
    stop = start + buffer.size // item
    first = 0
    for part in tensor.parts:
        last = first + prod(part.shape)
        low, high = max(start, first), min(stop, last)
        if low < high:
            target = buffer[(low - start) * item : (high - start) * item]
            _read_part(files, part, item, low - first, target)
        first = last


def _read_part(
    files: OpenFiles, part: Part, item: int, start: int, buffer: NDArray[np.uint8]
) -> None:
    if part.strides is None:
        files.read(part.file, part.offset + start * item, buffer.data)
        return
    done = 0
    for origin, shape in _boxes(part.shape, start, start + buffer.size // item):
        size = prod(shape) * item
        offset = part.offset + item * _dot(origin, part.strides)
        target = buffer[done : done + size].reshape(*shape, item)
        _read_box(files, part, offset, target)
        done += size


def _boxes(
    shape: tuple[int, ...], start: int, stop: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Cut the flat range into boxes (origin, shape) that follow one another in C order."""
    if not shape:
        yield (), ()
        return
    inner = prod(shape[1:])
    while start < stop:
        row, within = divmod(start, inner)
        rows = (stop - start) // inner
        if within == 0 and rows > 0:
            yield (row,) + (0,) * (len(shape) - 1), (rows, *shape[1:])
            start += rows * inner
            continue
        end = min(stop, (row + 1) * inner)
        for origin, box in _boxes(shape[1:], within, within + end - start):
            yield (row, *origin), (1, *box)
        start = end


def _read_box(files: OpenFiles, part: Part, offset: int, target: NDArray[np.uint8]) -> None:
    """
    Read a strided box: at once where it is dense in the file, else its halves.

    Halving along the longest stride ends at runs of neighbours, so a transposed matrix
    is read as one run per column, whatever its size.
    """
    *shape, item = target.shape
    assert part.strides is not None
    span = item * (1 + _dot([extent - 1 for extent in shape], part.strides))
    if span <= SPARSE_BYTES or (span <= SPAN_BYTES and span <= 4 * target.size):
        scratch = np.empty(span, np.uint8)
        files.read(part.file, offset, scratch.data)
        strides = [item * stride for stride in part.strides]
        target[...] = np.lib.stride_tricks.as_strided(scratch, target.shape, (*strides, 1))
        return
    reach = [(extent > 1) * stride for extent, stride in zip(shape, part.strides, strict=True)]
    axis = int(np.argmax(reach))
    half = shape[axis] // 2
    low, high = np.split(target, [half], axis=axis)
    _read_box(files, part, offset, low)
    _read_box(files, part, offset + item * half * part.strides[axis], high)


def _dot(left: list[int] | tuple[int, ...], right: tuple[int, ...]) -> int:
    return sum(one * other for one, other in zip(left, right, strict=True))
