"""Buffers for bytes that vector instructions work on."""

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
"""Bytes of a cache line, and of the widest vector."""


def aligned_empty(size: int) -> NDArray[np.uint8]:
    """Return uninitialised bytes, shape (size,), that begin at a cache line."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]
