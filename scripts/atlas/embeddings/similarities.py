"""How near words are to one another for one text encoder: three measures of each two."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

MEASURES = ("cosine", "euclidean", "manhattan")

Square = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Similarities:
    """Each of shape (n, n), symmetric; of vectors brought to length 1."""

    cosine: Square
    euclidean: Square
    manhattan: Square


def similarities(vectors: NDArray[np.float32]) -> Similarities:
    """
    Return all three measures of each two vectors, computed in float64.

    As comparisons of prompts have them, of vectors divided by their lengths. Equal vectors have the
    cosine 1 and the distances 0 exactly; a vector of length 0 has NaN with all.

    Parameters
    ----------
    vectors
        float32 (n, width).
    """
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    units = np.divide(wide, lengths, out=np.full_like(wide, np.nan), where=lengths > 0)
    euclidean = squareform(pdist(units, "euclidean"))
    manhattan = squareform(pdist(units, "cityblock"))
    cosine = 1 - euclidean**2 / 2  # |a - b|² = 2 - 2 cos; exact for equal vectors
    for square in (cosine, euclidean, manhattan):
        square[lengths[:, 0] == 0] = square[:, lengths[:, 0] == 0] = np.nan
    return Similarities(cosine, euclidean, manhattan)
