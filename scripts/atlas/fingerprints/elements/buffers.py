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


def keep_freed_memory() -> None:
    """
    Let the process keep what numpy frees, up to some MB, where glibc would hand it back.

    It hands back what is larger than the largest block that was handed back before (mallopt(3),
    M_MMAP_THRESHOLD). Otherwise each chunk's arrays come as fresh pages, a quarter of the time.
    """
    aligned_empty(1 << 23)
