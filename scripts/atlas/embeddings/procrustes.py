"""Procrustes: one set of points turned, mirrored and shifted onto another, unscaled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Aligned:
    """Points laid onto others."""

    points: Points
    """(n, d): those of the moved set, in the other's place."""
    left: float
    """Root mean square distance of the pairs that is left."""
    by_chance: float
    """Share of moves in random directions that would be left, see `left_by_chance`."""


def aligned(points: Points, onto: Points) -> Aligned:
    """
    Return points turned, mirrored and shifted to lie on others as well as they can.

    The orthogonal Procrustes problem (Schönemann 1966): with centred P and Q, R = U Vᵀ of the
    singular value decomposition of Pᵀ Q, and what is left squared is |P|² + |Q|² - 2 Σ of its
    singular values. Pᵀ Q is never made: with Pᵀ = A B and Qᵀ = C D of orthonormal columns A and C,
    it is A (B Dᵀ) Cᵀ, and of B Dᵀ only as many rows and columns as there are points. Equal points
    come back as they are.

    Parameters
    ----------
    points, onto
        float32 (n, d), row by row of the same text.
    """
    if np.array_equal(points, onto):
        return Aligned(points.copy(), 0.0, left_by_chance(onto))
    own, other = points.astype(np.float64), onto.astype(np.float64)
    centre = other.mean(axis=0)
    _, small = np.linalg.qr((own - own.mean(axis=0)).T)
    basis, large = np.linalg.qr((other - centre).T)
    left, _, right = np.linalg.svd(small @ large.T)
    rank = min(left.shape[1], right.shape[0])
    turned = small.T @ left[:, :rank] @ right[:rank] @ basis.T + centre
    distance = float(np.sqrt(((turned - other) ** 2).sum(axis=1).mean()))
    return Aligned(turned.astype(np.float32), distance, left_by_chance(onto))


def left_by_chance(onto: Points) -> float:
    """
    Return which share of small moves in random directions alignment leaves, as root mean square.

    Of n different points in d dimensions, n d directions of moving them all, a shift takes d, and
    turns take as many as there are matrices Q Ω with Ω = -Ωᵀ: r d - r (r + 1) / 2, where r is the
    rank of the centred points. With fewer points than dimensions that is nearly all: alignment then
    finds a turn in anything, and only what is far less than this share tells of one.

    >>> round(left_by_chance(np.random.default_rng(1).standard_normal((144, 768), np.float32)), 2)
    0.31
    """
    distinct = np.unique(onto, axis=0).astype(np.float64)
    count, width = distinct.shape
    rank = int(np.linalg.matrix_rank(distinct - distinct.mean(axis=0)))
    taken = width + rank * width - rank * (rank + 1) / 2
    return float(np.sqrt(max(0.0, 1 - taken / (count * width))))
