"""Maps: samples in two dimensions by UMAP, alone or laid over other maps of the same samples."""

import importlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError, nearest

FEWEST = 5
"""Samples below which no neighbourhood is worth the name."""
BACKENDS = ("umap-learn", "cuml")


@dataclass(frozen=True)
class Fit:
    """Whether UMAP can draw some samples, and with how many neighbours."""

    neighbours: int
    is_possible: bool
    note: str
    """What differs from what was asked for, in a sentence; "" if nothing does."""


def fit_of(scores: NDArray[np.floating[Any]], *, neighbours: int = 15) -> Fit:
    """
    Return how `drawn` draws these scores: what it logs is here for those who show the map.

    Raises
    ------
    AtlasError
        When there is no sample, or a score is not finite.
    """
    count = len(scores)
    if scores.ndim != 2 or not scores.size:
        raise AtlasError(f"no map of {count} samples without a score; take at least one of each")
    if not np.isfinite(scores).all():
        bad = int(np.count_nonzero(~np.isfinite(scores).all(axis=1)))
        raise AtlasError(f"no map: {bad:,} of {count:,} samples have scores that are not finite")
    if neighbours < 2:
        raise AtlasError(f"UMAP needs 2 neighbours or more, not {neighbours}")
    instead = "the map shows the first two components in the place of UMAP"
    if count < FEWEST:
        return Fit(0, False, f"{count} samples are too few for UMAP: {instead}")
    if not np.ptp(scores, axis=0).any():
        return Fit(0, False, f"all {count:,} samples are equal: {instead}")
    if neighbours > count - 1:
        told = f"{count} samples have {count - 1} neighbours each, not {neighbours}"
        return Fit(count - 1, True, told)
    return Fit(neighbours, True, "")


def drawn(
    scores: NDArray[np.floating[Any]],
    *,
    seed: int,
    neighbours: int = 15,
    min_dist: float = 0.1,
    metric: str = "euclidean",
    parallel: bool = False,
    backend: str = "umap-learn",
) -> NDArray[np.float32]:
    """
    Return a map of samples by UMAP (McInnes, Healy and Melville 2018).

    The seed is really passed: equal scores, seed and packages give equal bytes. That costs UMAP its
    threads. With `parallel` it has them and gets no seed: two runs then differ, as threads move
    points in an order that is nobody's. Where UMAP can't run (fewer than 5 samples, or all equal)
    the first two components are returned; `fit_of` says so in words, which are logged.

    Parameters
    ----------
    scores
        Shape (n, c): such as principal components.
    seed
        Of all that is random.
    neighbours
        Of each sample, itself included as UMAP counts; clipped to n - 1.
    min_dist
        How near to one another points may lie on the map.
    metric
        Of the scores' distances, by UMAP's names.
    parallel
        Give up repeatability for speed.
    backend
        "umap-learn", or "cuml" for RAPIDS on a GPU.

    Returns
    -------
        Shape (n, 2); the unit means nothing.

    Raises
    ------
    AtlasError
        When a score is not finite, or there is no such backend.
    """
    made = _backend(backend)
    fit = fit_of(scores, neighbours=neighbours)
    if fit.note:
        logging.warning("%s", fit.note)
    if not fit.is_possible:
        return _first_two(scores)
    settings = {"n_neighbors": fit.neighbours, "min_dist": min_dist, "metric": metric}
    return _fitted(made, scores, settings | _chance(seed, parallel, backend))


def aligned(
    slices: Sequence[NDArray[np.floating[Any]]],
    *,
    seed: int,
    neighbours: int = 15,
    min_dist: float = 0.1,
    metric: str = "euclidean",
) -> list[NDArray[np.float32]]:
    """
    Return a map of each slice (layer, timestep, model) of the same samples, laid over one another.

    The first slice is drawn alone. Each further one starts from the map before it, and is then
    turned, mirrored and shifted (orthogonal Procrustes, no scaling) to lie on it as well as it can.
    What still moves, moves because its neighbours are others.

    Of the ways compared on five slices of 1,797 digits (docs/projection.md: mean trustworthiness of
    the maps, mean step of a sample between two maps in units of the maps' radius, time):

    =============================================  ======  ====  ====
    separate maps                                  0.8968  0.95  16 s
    separate maps, turned                          0.8968  0.59  16 s
    each from the one before                       0.8965  0.48  15 s
    each from the one before, turned: this one     0.8962  0.35  15 s
    umap.AlignedUMAP                               0.8921  0.27  43 s
    =============================================  ======  ====  ====

    AlignedUMAP moves samples least by pulling the maps together, which makes each less true and
    takes three times as long; this way costs hardly any truth and no time.

    Parameters
    ----------
    slices
        Each of shape (n, c), one n for all; c may differ.
    seed, neighbours, min_dist, metric
        As of `drawn`, and as repeatable.

    Raises
    ------
    AtlasError
        When the slices have not the same number of samples.
    """
    counts = {len(scores) for scores in slices}
    if len(counts) > 1:
        told = ", ".join(str(len(scores)) for scores in slices)
        raise AtlasError(f"aligned maps need the same samples in each slice, but there are {told}")
    made = _backend("umap-learn")
    maps: list[NDArray[np.float32]] = []
    for scores in slices:
        fit = fit_of(scores, neighbours=neighbours)
        if fit.note:
            logging.warning("slice %d: %s", len(maps) + 1, fit.note)
        if fit.is_possible:
            settings: dict[str, Any] = {
                "n_neighbors": fit.neighbours,
                "min_dist": min_dist,
                "metric": metric,
            }
            if maps and np.ptp(maps[-1], axis=0).all():
                settings["init"] = maps[-1].copy()
            points = _fitted(made, scores, settings | _chance(seed, False, "umap-learn"))
        else:
            points = _first_two(scores)
        maps.append(turned(points, maps[-1]) if maps else points)
    return maps


def turned(points: NDArray[np.float32], onto: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return points turned, mirrored and shifted to lie on others as well as they can, unscaled.

    The orthogonal Procrustes problem: with centred P and Q, the best turn is U Vᵀ of the singular
    value decomposition of Pᵀ Q (Schönemann 1966).
    """
    own, other = (side.astype(np.float64) for side in (points, onto))
    centre, target = own.mean(axis=0), other.mean(axis=0)
    left, _, right = np.linalg.svd((own - centre).T @ (other - target))
    return np.asarray((own - centre) @ (left @ right) + target, dtype=np.float32)


def _backend(name: str) -> Any:
    """Return the class that fits, imported only here: it takes seconds."""
    if name not in BACKENDS:
        raise AtlasError(
            f"{name}: no backend of this name{nearest(name, BACKENDS)}; there are"
            f" {' and '.join(BACKENDS)}"
        )
    if name == "cuml":
        try:
            return importlib.import_module("cuml.manifold").UMAP
        except ImportError as error:
            raise AtlasError(
                "backend cuml: RAPIDS cuML can't be imported here; install it beside a GPU"
                " (https://docs.rapids.ai/install), or set the backend to umap-learn"
            ) from error
    return importlib.import_module("umap").UMAP


def _chance(seed: int, parallel: bool, backend: str) -> dict[str, Any]:
    """Return the settings on which repeatability rests."""
    if backend == "cuml":
        return {} if parallel else {"random_state": seed}
    if parallel:
        return {"n_jobs": len(os.sched_getaffinity(0))}
    return {"random_state": seed, "n_jobs": 1}


def _fitted(
    made: Any, scores: NDArray[np.floating[Any]], settings: dict[str, Any]
) -> NDArray[np.float32]:
    points = np.asarray(made(n_components=2, **settings).fit_transform(scores), dtype=np.float32)
    if not np.isfinite(points).all():
        lost = int(np.count_nonzero(~np.isfinite(points).all(axis=1)))
        raise AtlasError(
            f"UMAP gave {lost:,} samples no place: they have no neighbours by the metric"
            f" {settings['metric']}; choose another, such as euclidean"
        )
    return points


def _first_two(scores: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the first two scores, 0 for one that is not there."""
    points = np.zeros((len(scores), 2), np.float32)
    kept = min(2, scores.shape[1])
    points[:, :kept] = scores[:, :kept]
    return points
