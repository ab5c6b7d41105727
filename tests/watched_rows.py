"""Rows that note what is asked of them, and the memory that a function takes beside its result."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np


class WatchedRows:
    """Hands out another array's rows, and notes each slice."""

    def __init__(self, rows: np.ndarray) -> None:
        self._rows = rows
        self.shape = rows.shape
        self.slices: list[slice] = []

    def __getitem__(self, samples: slice) -> np.ndarray:
        assert isinstance(samples, slice)
        self.slices.append(samples)
        return self._rows[samples].copy()

    @property
    def most_at_once(self) -> int:
        """Samples of the longest slice."""
        return max(len(range(*place.indices(self.shape[0]))) for place in self.slices)

    @property
    def passes(self) -> float:
        """How often a sample was read, on average."""
        read = sum(len(range(*place.indices(self.shape[0]))) for place in self.slices)
        return read / self.shape[0]


def peak_of(function: Callable[[], Any]) -> tuple[Any, int]:
    """Return what a function returns, and the most bytes that it had in memory at a time."""
    gc.collect()
    tracemalloc.start()
    try:
        result = function()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
