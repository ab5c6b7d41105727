"""Measure arrays with the real engine, by way of files and fingerprints, and without it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from atlas.basis import sealed
from atlas.distances import contents as tables
from atlas.distances import engine, plan
from atlas.fingerprints import fingerprint
from stored import checkpoint

NAME = "unet/x"


def fingerprints(folder: Path, models: dict[str, dict[str, np.ndarray]]) -> dict[Path, Path]:
    """Write checkpoints and their fingerprints; return what a shard's job is given."""
    given = {}
    for model, arrays in models.items():
        held = checkpoint(folder / model, arrays)
        table = folder / f"{model}.parquet"
        sealed.write(fingerprint.table(held), table)
        given[table] = folder
    return given


def contents_of(given: dict[Path, Path], *, shard: int = 0, count: int = 1, renamings=None):
    """Return the contents of a shard's names: name to digest to content."""
    ((_, table),) = tables.collect(given, count=count, renamings=renamings, shards=[shard])
    return tables.contents_of(table)


def measure(folder: Path, contents: Sequence[np.ndarray], **settings) -> dict:
    """Return the five measures of each pair of arrays, by their places in the list."""
    models = {f"m{place}": {NAME: array} for place, array in enumerate(contents)}
    given = fingerprints(folder, models)
    held = contents_of(given, shard=0, count=1)[NAME]
    digest = [
        next(iter(contents_of({table: home}, shard=0, count=1)[NAME]))
        for table, home in given.items()
    ]
    found = {}
    jobs = plan.missing(NAME, held, most_contents=settings.pop("most_contents", 10**6))
    settings = {"threads": 2, "memory_bytes": 10**8} | settings
    for job, measures in engine.measure(jobs, **settings):
        for first, second, values in zip(job.first, job.second, measures.T, strict=True):
            found[job.contents[first].digest, job.contents[second].digest] = values
    return {
        (i, j): found[tuple(sorted((digest[i], digest[j])))]
        if digest[i] != digest[j]
        else np.zeros(5)
        for i, j in combinations(range(len(contents)), 2)
    }


def exact(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return l0, l1, l2, linf and dot in long double."""
    x, y = (array.astype(np.float64).astype(np.longdouble).ravel() for array in (a, b))
    size = np.abs(x - y)
    values = [
        np.count_nonzero(size),
        size.sum(),
        np.sqrt((size**2).sum()),
        size.max(),
        (x * y).sum(),
    ]
    return np.array(values, np.float64)
