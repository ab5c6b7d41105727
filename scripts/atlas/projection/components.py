"""Components: standardised rows along the axes on which they spread most, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from atlas.basis.errors import AtlasError
from atlas.projection.moments import Moments, Standard, moments_of
from atlas.projection.products import Products
from atlas.projection.rows import READING_BYTES, Rows, block_size, width

EXACT = 4096
"""Features or samples up to which eigenvalues of the whole matrix take no longer than sketches."""
SPARE = 64
"""Directions beyond those asked for, in a sketch."""
PASSES = 4
"""Over the rows, to turn the sketch towards the leading directions."""
LARGEST_BLOCK = 1024
FEW = 64
"""Rows of a block below which the exact ways read the rows too often."""
STRIP = 1024
"""Features of a sketch that are in float64 at a time."""
SAME = 1e-3
"""Relative difference below which two scores are equally large, when a sign is chosen."""


@dataclass(frozen=True, eq=False)
class Components:
    """Samples along their principal components."""

    scores: NDArray[np.float32]
    """Shape (n, c); a component's score of largest magnitude is positive."""
    explained: NDArray[np.float64]
    """Shape (c,): each component's share of the variance of what was analysed."""
    mean: NDArray[np.float64]
    """Shape (d,): of each feature."""
    scale: NDArray[np.float64]
    """Shape (d,): what each feature was divided by; 1 where it is constant."""
    route: str
    """How it was computed: "covariance" or "gram", which are exact, or "sketch"."""


def reduced(
    rows: Rows,
    *,
    components: int = 256,
    memory_bytes: int,
    seed: int,
    standardise: bool = True,
    what: str = "rows",
) -> Components:
    """
    Return the leading principal components of standardised rows.

    With at most 4,096 features, or as many samples, the matrix of the features' covariances, or of
    the samples' products, is summed block by block and its eigenvectors are taken: exact. Beyond
    that, or where the matrix does not fit in memory, the leading directions are found by subspace
    iteration from a random start (Halko, Martinsson and Tropp 2011, algorithm 4.4, with one pass
    over the rows for each product by Zᵀ Z) and a Rayleigh-Ritz step at the end; memory is then two
    sets of c + 64 directions.

    Parameters
    ----------
    rows
        Shape (n, ...), float16 or float32; read in a few passes.
    components
        At most min(n - 1, d) are returned, and at least 1.
    memory_bytes
        Bounds what is in memory beside the scores: blocks of rows, the matrix, the directions.
    seed
        Of the random start; the exact routes have no use for it.
    standardise
        Divide by each feature's standard deviation (with n as the divisor, as scikit-learn does),
        so that all weigh the same; else only the mean is taken off.
    what
        What the rows are, for messages.

    Raises
    ------
    AtlasError
        When a value is not finite, or not enough memory is allowed.
    """
    if components < 1:
        raise AtlasError(f"{what}: {components} components asked for; ask for 1 or more")
    moments = moments_of(rows, memory_bytes=memory_bytes, what=what)
    kept = max(1, min(components, rows.shape[0] - 1, width(rows)))
    work = _Work(rows, moments, standardise, kept, memory_bytes, what)
    route, find = _chosen(work, seed)
    scores, variances = find()
    total = float((moments.variance / work.scale**2).sum())
    explained = np.clip(variances / total if total > 0 else np.zeros(kept), 0.0, 1.0)
    scores = _with_signs(scores).astype(np.float32)
    return Components(scores, explained, moments.mean, work.scale, route)


class _Work:
    """What all routes need: blocks of standardised rows, and the memory that is left for more."""

    def __init__(
        self,
        rows: Rows,
        moments: Moments,
        standardise: bool,
        kept: int,
        memory_bytes: int,
        what: str,
    ) -> None:
        self.rows, self.kept, self.what = rows, kept, what
        self.samples, self.features = rows.shape[0], width(rows)
        self.scale = moments.scale if standardise else np.ones(self.features)
        self.standard = Standard.of(moments, standardise=standardise)
        # the moments and the standard stay in memory
        self.memory = memory_bytes - 48 * self.features

    def size(self, fixed: int, *, extra: float = 0.0, held: int = 1) -> int:
        """Return samples of a block; `extra` bytes for each value, `held` blocks at a time."""
        return block_size(
            self.rows,
            self.memory,
            per_value=READING_BYTES + 4 * (held - 1) + extra,
            fixed=fixed,
            most=LARGEST_BLOCK,
            what=self.what,
        )


Route = Callable[[], tuple[NDArray[np.floating], NDArray[np.float64]]]


def _chosen(work: _Work, seed: int) -> tuple[str, Route]:
    """Return the route's name, and the function that gives scores and variances."""
    # eigh works on one copy in place and has one more of workspace and vectors
    matrices = {
        "covariance": (work.features, lambda: _by_covariance(work)),
        "gram": (work.samples, lambda: _by_gram(work)),
    }
    name, (extent, find) = min(matrices.items(), key=lambda item: item[1][0])
    room = work.memory - 24 * extent**2
    block = READING_BYTES * work.features
    if extent <= EXACT and room >= FEW * block:
        return name, find
    # where directions take more than there is, many small blocks are better than nothing
    if room >= 2 * block and work.memory < _sketch_bytes(work) + block:
        return name, find
    return "sketch", lambda: _by_sketch(work, seed)


def _leading(matrix: NDArray[np.float64], kept: int) -> tuple[NDArray[np.float64], ...]:
    """Return the largest eigenvalues, the largest first, and their vectors as columns."""
    last = len(matrix) - 1
    values, vectors = eigh(
        matrix, subset_by_index=(last - kept + 1, last), overwrite_a=True, check_finite=False
    )
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _by_covariance(work: _Work) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Eigenvectors of the (d, d) covariances; a second pass takes the scores."""
    size = work.size(24 * work.features**2)
    covariance = np.zeros((work.features, work.features))
    for _, block in work.standard.blocks(work.rows, size):
        covariance += block.T @ block
    covariance /= work.samples
    variances, axes = _leading(covariance, work.kept)
    scores = np.empty((work.samples, work.kept), np.float32)
    directions = axes.astype(np.float32)
    for place, block in work.standard.blocks(work.rows, size):
        scores[place] = block @ directions
    return scores, variances


def _by_gram(work: _Work) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Eigenvectors of the (n, n) products of samples are the scores, but for their lengths."""
    size = work.size(24 * work.samples**2, held=2)
    gram = np.empty((work.samples, work.samples))
    products = Products()
    for left, first in work.standard.blocks(work.rows, size):
        gram[left, left] = products.of(first, first)
        for start in range(left.stop, work.samples, size):
            right = slice(start, min(start + size, work.samples))
            second = work.standard.block(work.rows, right)
            gram[left, right] = products.of(first, second)
            gram[right, left] = gram[left, right].T
    variances, vectors = _leading(gram, work.kept)
    return vectors * np.sqrt(variances), variances / work.samples


def _by_sketch(work: _Work, seed: int) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Leading directions by subspace iteration, then the best basis within them."""
    count = _directions(work)
    size = work.size(_sketch_bytes(work), extra=4 * count / work.features)
    generator = np.random.default_rng(seed)
    directions = generator.standard_normal((work.features, count), np.float32)
    _orthonormalise(directions)
    for _ in range(PASSES):
        turned = np.zeros_like(directions)
        for _, block in work.standard.blocks(work.rows, size):
            projected = block @ directions
            for start in range(0, work.features, STRIP):
                strip = slice(start, start + STRIP)
                turned[strip] += block[:, strip].T @ projected
        directions = turned
        _orthonormalise(directions)
    found = np.empty((work.samples, count), np.float32)
    square = np.zeros((count, count))
    for place, block in work.standard.blocks(work.rows, size):
        part = block @ directions
        found[place] = part
        exact = part.astype(np.float64)
        square += exact.T @ exact
    variances, rotation = _leading(square / work.samples, work.kept)
    return found @ rotation.astype(np.float32), variances


def _directions(work: _Work) -> int:
    """Return how many directions a sketch has."""
    return min(work.kept + SPARE, work.features, work.samples)


def _sketch_bytes(work: _Work) -> int:
    """Return what a sketch takes beside blocks: two sets of directions, a strip, small squares."""
    count = _directions(work)
    return (8 * work.features + 16 * min(STRIP, work.features)) * count + 32 * count**2


def _orthonormalise(directions: NDArray[np.float32]) -> None:
    """
    Turn columns into orthonormal ones of the same span, in place, strip by strip.

    Twice by the eigenvectors of their products in float64: the first time leaves what rounding
    makes of columns that are nearly parallel, the second mends it. Directions that are nothing but
    rounding are kept, scaled up; they do no harm in a basis.
    """
    for _ in range(2):
        square = np.zeros((directions.shape[1],) * 2)
        for start in range(0, len(directions), STRIP):
            strip = directions[start : start + STRIP].astype(np.float64)
            square += strip.T @ strip
        values, vectors = np.linalg.eigh(square)
        vectors /= np.sqrt(np.maximum(values, max(values[-1], 1e-300) * 1e-14))
        for start in range(0, len(directions), STRIP):
            strip = directions[start : start + STRIP].astype(np.float64)
            directions[start : start + STRIP] = strip @ vectors


def _with_signs(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Turn each component so that the first of its largest scores by magnitude is positive."""
    sizes = np.abs(scores)
    largest = (sizes >= (1 - SAME) * sizes.max(axis=0)).argmax(axis=0)
    signs = np.sign(scores[largest, np.arange(scores.shape[1])])
    return scores * np.where(signs == 0, 1, signs).astype(scores.dtype)
