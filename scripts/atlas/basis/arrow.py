"""Use pyarrow without what it imports at the first opportunity: pandas, and its compute module."""

import sys
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def spare_pandas() -> None:
    """
    Let pyarrow's first conversion find no pandas, which saves half a second per process.

    pyarrow looks for pandas once, on the first value that it converts. For the scripts that run
    hundreds of times and use none. `to_pandas` still works afterwards, but `pa.array` of a pandas
    Series is then taken for a plain sequence: don't call it where both are used.
    """
    if "pandas" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    with suppress(ImportError, AttributeError):
        pa.scalar(0)
    del sys.modules["pandas"]


def numbers(array: pa.Array) -> NDArray[Any]:
    """Return the numbers of an array without nulls; its own `to_numpy` would import pandas."""
    dtype = np.dtype(str(array.type).replace("double", "float64"))
    held = np.frombuffer(array.buffers()[1], dtype)
    return held[array.offset : array.offset + len(array)]


def tuples(array: pa.ListArray) -> list[tuple[Any, ...]]:
    """Return lists of numbers, none of them null, as tuples."""
    flat, bounds = numbers(array.flatten()).tolist(), numbers(array.offsets)
    starts = (bounds - bounds[0]).tolist()
    return [tuple(flat[low:high]) for low, high in pairwise(starts)]
