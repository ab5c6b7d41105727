"""Compile functions with numba, and the few operations on bits that it lacks."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import xxhash
from llvmlite import ir  # type: ignore[import-untyped]
from numba.extending import intrinsic


def compiled(*inlined: ModuleType, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """
    Compile at the first call, and keep the code on disk where any cache can be written.

    Parameters
    ----------
    inlined
        Modules of which the code holds a part. Numba's cache watches the function's own file alone,
        and would hand out code made from what these held before.
    options
        Of `numba.njit`.
    """
    sources = xxhash.xxh3_64()
    for module in inlined:
        sources.update(Path(str(module.__file__)).read_bytes())

    def decorate(function: Callable[..., Any]) -> Any:
        if inlined:  # the name of the cache's file
            function.__qualname__ += f"-{sources.hexdigest()}"
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # no cache folder is writable: compile in every process
            return numba.njit(nogil=True, **options)(function)

    return decorate


@intrinsic  # type: ignore[untyped-decorator]
def half_from_bits(_: Any, bits: Any) -> Any:
    """Return the float32 of a float16's bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return numba.float32(numba.uint16), generate


@intrinsic  # type: ignore[untyped-decorator]
def bits_of_half(_: Any, value: Any) -> Any:
    """Round a float32 to the nearest float16, ties to even, and return its bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))

    return numba.uint16(numba.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def single_from_bits(_: Any, bits: Any) -> Any:
    """Return the float32 that has these 32 bits."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return numba.float32(numba.uint32), generate


@intrinsic  # type: ignore[untyped-decorator]
def bits_of_single(_: Any, value: Any) -> Any:
    """Return the 32 bits of a float32."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return numba.uint32(numba.float32), generate
