"""Embed or compare one set of activations, by one way, and tell the time and the memory."""

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SEED, COMPONENTS, NEIGHBOURS = 0, 256, 15


def ours(files: list[Path], memory: int) -> dict[str, Any]:
    """Reduce and search, by blocks of the file."""
    from atlas.projection.components import reduced
    from atlas.projection.neighbours import nearest

    said: dict[str, Any] = {"before": _resident()}
    with h5py.File(files[0]) as file:
        start = time.perf_counter()
        found = reduced(file["x"], components=COMPONENTS, memory_bytes=memory, seed=SEED)
        middle = time.perf_counter()
        nearest(file["x"], k=NEIGHBOURS, memory_bytes=memory)
        end = time.perf_counter()
    said |= {"components": middle - start, "neighbours": end - middle}
    return said | {"explained": float(found.explained.sum())}


def plain(files: list[Path], memory: int) -> dict[str, Any]:
    """Reduce and search, by scikit-learn with all in memory; each step reads the file."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    said: dict[str, Any] = {"before": _resident()}
    with h5py.File(files[0]) as file:
        start = time.perf_counter()
        rows = file["x"][:].astype(np.float32)
        count = min(COMPONENTS, *rows.shape)
        fitted = PCA(count, random_state=SEED)
        fitted.fit_transform(StandardScaler().fit_transform(rows))
        middle = time.perf_counter()
        rows = file["x"][:].astype(np.float32)
        NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(rows).kneighbors()
        end = time.perf_counter()
    said |= {"components": middle - start, "neighbours": end - middle}
    return said | {"explained": float(fitted.explained_variance_ratio_.sum())}


def incremental(files: list[Path], memory: int) -> dict[str, Any]:
    """Reduce by scikit-learn's incremental classes, in batches of twice the components."""
    from sklearn.decomposition import IncrementalPCA
    from sklearn.preprocessing import StandardScaler

    said: dict[str, Any] = {"before": _resident()}
    with h5py.File(files[0]) as file:
        start = time.perf_counter()
        rows = file["x"]
        count = min(COMPONENTS, *rows.shape)
        places = [slice(low, low + 2 * count) for low in range(0, len(rows), 2 * count)]
        scaler, fitted = StandardScaler(), IncrementalPCA(count)
        for place in places:
            scaler.partial_fit(rows[place].astype(np.float32))
        for place in places:
            batch = scaler.transform(rows[place].astype(np.float32))
            if len(batch) >= count:
                fitted.partial_fit(batch)
        for place in places:
            fitted.transform(scaler.transform(rows[place].astype(np.float32)))
        said["components"] = time.perf_counter() - start
    return said | {"explained": float(fitted.explained_variance_ratio_.sum())}


def aligned(files: list[Path], memory: int) -> dict[str, Any]:
    """Compare all layers with all."""
    from atlas.projection.alignment import alignments

    said: dict[str, Any] = {"before": _resident()}
    opened = [h5py.File(file)["x"] for file in files]
    start = time.perf_counter()
    found = alignments(opened, opened, memory_bytes=memory)
    values = [[each.unbiased for each in row] for row in found]
    return said | {"seconds": time.perf_counter() - start, "values": values}


def definitions(files: list[Path], memory: int) -> dict[str, Any]:
    """Compare all layers with all, pair by pair as the definitions have it."""
    said: dict[str, Any] = {"before": _resident()}
    start = time.perf_counter()
    layers = [h5py.File(file)["x"][:].astype(np.float64) for file in files]
    values = [[_unbiased(first, second) for second in layers] for first in layers]
    return said | {"seconds": time.perf_counter() - start, "values": values}


def _unbiased(first: np.ndarray, second: np.ndarray) -> float:
    count = len(first)
    grams = [rows @ rows.T for rows in (first - first.mean(axis=0), second - second.mean(axis=0))]
    for gram in grams:
        np.fill_diagonal(gram, 0.0)

    def hsic(one: np.ndarray, other: np.ndarray) -> float:
        sums = one.sum(axis=0), other.sum(axis=0)
        whole = np.vdot(one, other) - 2 * (sums[0] @ sums[1]) / (count - 2)
        return whole + sums[0].sum() * sums[1].sum() / ((count - 1) * (count - 2))

    return hsic(*grams) / np.sqrt(hsic(grams[0], grams[0]) * hsic(grams[1], grams[1]))


def _resident() -> int:
    """Return the most memory so far, in bytes: what importing took."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


WAYS: dict[str, Callable[[list[Path], int], dict[str, Any]]] = {
    "ours": ours,
    "plain": plain,
    "incremental": incremental,
    "aligned": aligned,
    "definitions": definitions,
}


def main() -> None:
    """Work by the way that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--memory", type=int, required=True, help="bytes, for ours")
    given = parser.parse_args()
    print(json.dumps(WAYS[given.way](given.files, given.memory)))


if __name__ == "__main__":
    main()
