"""The compiled twins of decoding, rounding and moments: for checkpoints of real size."""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.fingerprints.elements import compiled_rounding, float8
from atlas.fingerprints.elements.buffers import aligned_empty
from atlas.fingerprints.elements.compiled_projection import project
from atlas.fingerprints.elements.jit import (
    bits_of_half,
    bits_of_single,
    compiled,
    half_from_bits,
    single_from_bits,
)
from atlas.fingerprints.elements.moments import LANES, Moments
from atlas.fingerprints.elements.projection import Projection
from atlas.fingerprints.elements.rounding import Rounding
from atlas.tensors.tensors import ITEM_BYTES

CODES = {"f64": 0, "f32": 1, "f16": 2, "bf16": 3, "f8_e4m3fn": 4, "f8_e5m2": 5}
"""Codes of the floating dtypes."""

FLOAT8 = np.stack([float8.values_of(dtype) for dtype in float8.FORMATS])


@compiled()
def decode_into(raw, kind, float8, values):  # type: ignore[no-untyped-def]
    """Decode bytes of the dtype with this code to float32 or float64."""
    if kind == 0:
        double = raw.view(np.float64)
        for index in range(values.size):
            values[index] = double[index]
    elif kind == 1:
        single = raw.view(np.float32)
        for index in range(values.size):
            values[index] = single[index]
    elif kind == 2:
        half = raw.view(np.uint16)
        for index in range(values.size):
            values[index] = half_from_bits(half[index])
    elif kind == 3:
        brain = raw.view(np.uint16)
        for index in range(values.size):
            values[index] = single_from_bits(np.uint32(brain[index]) << np.uint32(16))
    else:
        table = float8[kind - 4]
        for index in range(values.size):
            values[index] = table[raw[index]]


@compiled()
def _round_to_f32(values, bits):  # type: ignore[no-untyped-def]
    for index in range(bits.size):
        bits[index] = bits_of_single(np.float32(values[index]))


@compiled()
def _round_to_f16(values, bits):  # type: ignore[no-untyped-def]
    for index in range(bits.size):
        bits[index] = bits_of_half(np.float32(values[index]))


@compiled()
def _round_to_bf16(values, bits):  # type: ignore[no-untyped-def]
    for index in range(bits.size):
        whole = bits_of_single(np.float32(values[index]))
        even = (whole >> np.uint32(16)) & np.uint32(1)
        rounded = (whole + np.uint32(0x7FFF) + even) >> np.uint32(16)
        is_nan = (whole & np.uint32(0x7FFFFFFF)) > np.uint32(0x7F800000)
        bits[index] = np.uint16(0x7FC0) if is_nan else np.uint16(rounded)


@compiled()
def _round_to_float8(values, shift, rebias, least_normal, magic, beyond, codes):  # type: ignore[no-untyped-def]
    """See float8.round_to_float8; what the format needs is given as numbers of 32 bits."""
    half = (np.uint32(1) << (shift - np.uint32(1))) - np.uint32(1)
    magic_bits = bits_of_single(magic)
    for index in range(codes.size):
        bits = bits_of_single(np.float32(values[index]))
        size = bits & np.uint32(0x7FFFFFFF)
        even = (size >> shift) & np.uint32(1)
        normal = np.uint32(size - rebias + half + even) >> shift
        small = bits_of_single(np.float32(single_from_bits(size) + magic)) - magic_bits
        code = np.uint32(small) if size < least_normal else np.uint32(normal)
        code = min(code, beyond)
        codes[index] = np.uint8(code | ((bits >> np.uint32(24)) & np.uint32(0x80)))


def _rounding_to_float8(dtype: str) -> Callable[[NDArray[Any], NDArray[np.uint8]], None]:
    form = float8.FORMATS[dtype]
    shift, rebias, least_normal, beyond = (
        np.uint32(number) for number in (form.shift, form.rebias, form.least_normal, form.beyond)
    )
    magic = np.float32(form.magic)

    def round_into(values: NDArray[Any], codes: NDArray[np.uint8]) -> None:
        _round_to_float8(values, shift, rebias, least_normal, magic, beyond, codes)

    return round_into


@compiled()
def _folded(lanes):  # type: ignore[no-untyped-def]
    """Return the sum of lanes as moments.folded adds them up; they are overwritten."""
    half = LANES // 2
    while half:
        for lane in range(half):
            lanes[lane] += lanes[half + lane]
        half //= 2
    return lanes[0]


@compiled()
def _sum(values):  # type: ignore[no-untyped-def]
    """Return the sum of values in the order of moments.LANES."""
    lanes = np.zeros(LANES)
    together = values.size - values.size % (4 * LANES)
    for begin in range(0, together, 4 * LANES):
        # four rows at a time, one after the other in each lane: it halves the time
        first = values[begin : begin + LANES]
        second = values[begin + LANES : begin + 2 * LANES]
        third = values[begin + 2 * LANES : begin + 3 * LANES]
        fourth = values[begin + 3 * LANES : begin + 4 * LANES]
        for lane in range(LANES):
            total = lanes[lane]
            for value in (first[lane], second[lane], third[lane], fourth[lane]):
                total += np.float64(value)
            lanes[lane] = total
    for begin in range(together, values.size, LANES):
        row = values[begin : begin + LANES]
        for lane in range(row.size):
            lanes[lane] += np.float64(row[lane])
    return _folded(lanes)


@compiled()
def _central_sums(values, mean):  # type: ignore[no-untyped-def]
    """Return the sums of the deviations' powers 2, 3 and 4 in the order of moments.LANES."""
    squares, cubes, fourths = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    together = values.size - values.size % (4 * LANES)
    for begin in range(0, together, 4 * LANES):
        # four rows at a time, one after the other in each lane: it halves the time
        first = values[begin : begin + LANES]
        second = values[begin + LANES : begin + 2 * LANES]
        third = values[begin + 2 * LANES : begin + 3 * LANES]
        fourth = values[begin + 3 * LANES : begin + 4 * LANES]
        for lane in range(LANES):
            sum2, sum3, sum4 = squares[lane], cubes[lane], fourths[lane]
            for value in (first[lane], second[lane], third[lane], fourth[lane]):
                deviation = np.float64(value) - mean
                square = deviation * deviation
                sum2 += square
                sum3 += square * deviation
                sum4 += square * square
            squares[lane], cubes[lane], fourths[lane] = sum2, sum3, sum4
    for begin in range(together, values.size, LANES):
        row = values[begin : begin + LANES]
        for lane in range(row.size):
            deviation = np.float64(row[lane]) - mean
            square = deviation * deviation
            squares[lane] += square
            cubes[lane] += square * deviation
            fourths[lane] += square * square
    return _folded(squares), _folded(cubes), _folded(fourths)


ROUNDINGS: Mapping[str, tuple[Callable[[NDArray[Any], NDArray[Any]], None], type[np.generic]]] = {
    "f32": (_round_to_f32, np.uint32),
    "f16": (_round_to_f16, np.uint16),
    "bf16": (_round_to_bf16, np.uint16),
    **{dtype: (_rounding_to_float8(dtype), np.uint8) for dtype in float8.FORMATS},
}
"""How to round to each dtype of ROUNDED, and what its bits are kept in."""


class CompiledChunks:
    """Takes in chunks: the twin of fingerprint.plain_chunk; threads share it."""

    def __init__(self, elements: int) -> None:
        self._elements = elements
        self._local = threading.local()

    def __call__(
        self,
        raw: NDArray[np.uint8],
        dtype: str,
        wanted: Collection[str],
        moments: Moments,
        projection: Projection | None = None,
        rounding: Rounding | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Add a chunk to what is summed up; return its bits rounded to the wanted dtypes."""
        count = raw.size // ITEM_BYTES[dtype]
        values = self._scratch("values", np.float64 if dtype == "f64" else np.float32)[:count]
        decode_into(raw, CODES[dtype], FLOAT8, values)
        rounded = {}
        for target in wanted:
            round_into, kind = ROUNDINGS[target]
            rounded[target] = self._scratch(target, kind)[:count]
            round_into(values, rounded[target])
        if projection is not None:
            project(projection, values)
        if rounding is not None:
            compiled_rounding.add(rounding, values)
        total = _sum(values)
        if values.dtype != np.float64 and np.isfinite(total):
            mean = total / count
            moments.merge(Moments(count, mean, *_central_sums(values, mean)))
        else:
            moments.add(values.astype(np.float64))
        return rounded

    def _scratch(self, purpose: str, dtype: type[np.generic]) -> NDArray[Any]:
        """Return a buffer of this thread's own, used again and again."""
        name = f"{purpose} {dtype.__name__}"
        if not hasattr(self._local, name):
            size = self._elements * np.dtype(dtype).itemsize
            setattr(self._local, name, aligned_empty(size).view(dtype))
        buffer: NDArray[Any] = getattr(self._local, name)
        return buffer
