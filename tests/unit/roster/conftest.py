"""Folders as collectors have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import factory


@pytest.fixture
def save(tmp_path: Path):
    """Return a function that writes one weight to a file below the test's folder."""

    def write(name: str, value: float = 1.0, key: str = "layer.weight") -> Path:
        return factory.single_file(tmp_path / name, {key: np.full((2, 2), value, np.float32)})

    return write
