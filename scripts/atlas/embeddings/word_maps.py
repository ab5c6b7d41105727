"""Maps of words: all text encoders of a space in two dimensions, as they are and aligned."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.embeddings.spaces import Space
from atlas.projection.components import reduced
from atlas.projection.maps import drawn

RAW, ALIGNED = "raw", "aligned"
MEMORY = 500_000_000
"""Bytes of working memory of a projection."""
COMPONENTS = 50
"""Principal components that UMAP and t-SNE are given."""
SEED = 0


@dataclass(frozen=True, eq=False)
class WordMap:
    """All points of one space, laid out together."""

    alignment: str
    """`raw` or `aligned`: each encoder's points turned onto the base's."""
    points: tuple[NDArray[np.float32], ...]
    """Of each content, (texts, 2)."""
    explained: tuple[float, float] | None = None
    """Shares of the variance along both axes; None where axes mean nothing."""


def maps(space: Space, projection: str) -> Iterator[WordMap]:
    """
    Yield the raw and the aligned map of a space.

    One projection for all encoders, each content once however many models have it: a copy moves
    nothing.

    Parameters
    ----------
    projection
        `pca`, `umap` or `tsne`.
    """
    laid = [each.points for each in space.aligned]
    before: NDArray[np.float32] | None = None
    for alignment, vectors in ((RAW, list(space.vectors)), (ALIGNED, laid)):
        points, explained = PROJECTIONS[projection](np.concatenate(vectors))
        base = slice(0, len(vectors[0]))
        if before is not None:  # an axis has no sign of its own: the base lies as it lay
            points *= np.where((points[base] * before).sum(axis=0) < 0, -1, 1).astype(np.float32)
        before = points[base].copy()
        yield WordMap(alignment, tuple(np.split(points, len(vectors))), explained)


Projected = tuple[NDArray[np.float32], tuple[float, float] | None]


def _pca(rows: NDArray[np.float32]) -> Projected:
    found = reduced(
        rows, components=2, memory_bytes=MEMORY, seed=SEED, standardise=False, what="words"
    )
    points = np.zeros((len(rows), 2), np.float32)
    points[:, : found.scores.shape[1]] = found.scores
    shares = [*found.explained.tolist(), 0.0][:2]
    return points, (shares[0], shares[1])


def _components(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return reduced(
        rows, components=COMPONENTS, memory_bytes=MEMORY, seed=SEED, standardise=False, what="words"
    ).scores


def _umap(rows: NDArray[np.float32]) -> Projected:
    return drawn(_components(rows), seed=SEED), None


def _tsne(rows: NDArray[np.float32]) -> Projected:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(rows) - 1) / 3)
    made = TSNE(perplexity=perplexity, init="pca", random_state=SEED)
    return made.fit_transform(_components(rows)).astype(np.float32), None


PROJECTIONS: dict[str, Callable[[NDArray[np.float32]], Projected]] = {
    "pca": _pca,
    "umap": _umap,
    "tsne": _tsne,
}
