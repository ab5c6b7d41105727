"""Where a canonical tensor lies within a key's tensor: rows, order, orientation."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from atlas.tensors.tensors import Part

Shape = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """One canonical tensor as a view of the tensor that a key names."""

    name: str
    rows: tuple[tuple[int, int], ...] = ()
    """Ranges of the first dimension, one after the other; empty for all rows."""
    transposed: bool = False


def parts_of(part: Part, view: View, item_bytes: int, shape: Shape) -> tuple[Part, ...]:
    """
    Return the parts that make a view, each with the canonical shape but for its rows.

    `shape` is the canonical shape of the whole; it may lack trailing dimensions of size one.
    """
    if view.transposed:
        return (_transposed(part, shape),)
    if not view.rows and shape == part.shape:
        return (part,)
    ranges = view.rows or ((0, part.shape[0] if part.shape else 1),)
    return tuple(_rows(part, start, stop, item_bytes, shape) for start, stop in ranges)


def shape_of(shape: Shape, view: View, *, squeezed: bool) -> Shape:
    """Return the canonical shape of a view in a tensor of the given shape."""
    if view.transposed:
        shape = shape[::-1]
    if view.rows:
        shape = (sum(stop - start for start, stop in view.rows), *shape[1:])
    return shape[:2] if squeezed and is_pointwise(shape) else shape


def is_pointwise(shape: Shape) -> bool:
    """Tell whether a shape is that of a 1×1 convolution, which a linear weight equals."""
    return len(shape) > 2 and all(size == 1 for size in shape[2:])


def halves_swapped(rows: int) -> tuple[tuple[int, int], ...]:
    """Return the row ranges that let the halves of a tensor change places."""
    return (rows // 2, rows), (0, rows // 2)


def consecutive(sizes: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ranges of parts of the given sizes, one after the other."""
    ranges, start = [], 0
    for size in sizes:
        ranges.append((start, start + size))
        start += size
    return ranges


def _rows(part: Part, start: int, stop: int, item_bytes: int, shape: Shape) -> Part:
    step = part.strides[0] if part.strides else prod(part.shape[1:])
    strides = None if part.strides is None else part.strides[: len(shape)]
    rows = (stop - start, *shape[1:]) if shape else ()
    return Part(part.file, part.offset + start * step * item_bytes, rows, strides)


def _transposed(part: Part, shape: Shape) -> Part:
    strides = part.strides or tuple(prod(part.shape[axis + 1 :]) for axis in range(len(part.shape)))
    return Part(part.file, part.offset, shape, strides[::-1])
