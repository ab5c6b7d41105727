"""What a checkpoint takes on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from atlas.checkpoint.files import surveyed
from atlas.checkpoint.problems import UnclearPathError


def files_on_disk(path: Path, *, weights: str | None = None) -> dict[tuple[int, int], int]:
    """
    Return the bytes of each file that a checkpoint is read from, indexes of shards among them.

    They go by what the disk knows them by, device and inode, so that a file that has several names
    is one. None where nothing is there, or where a set of files is so broken that none is read.

    Parameters
    ----------
    path
        A file, an index.json of shards, a diffusers folder or a glob.
    weights
        `raw` or `ema` where the roster asks for one of the two.
    """
    try:
        files, _ = surveyed(path, weights=weights)
    except UnclearPathError:
        return {}
    told = [file.stat() for file in files]
    return {(file.st_dev, file.st_ino): file.st_size for file in told}


def bytes_on_disk(path: Path, *, weights: str | None = None) -> int | None:
    """Return the bytes of these files together; None where there are none."""
    return sum(files_on_disk(path, weights=weights).values()) or None


def with_file_bytes(frame: pd.DataFrame, sizes: Mapping[str, int | None]) -> pd.DataFrame:
    """
    Return a table of models with `file_bytes` at its end: of the whole model, in each of its rows.

    Parameters
    ----------
    frame
        A row per model and component, with the column `model`.
    sizes
        Model to the bytes of its files; None where they are not known.
    """
    return frame.assign(file_bytes=frame["model"].map(dict(sizes)).astype("Int64"))
