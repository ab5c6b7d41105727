"""How the pictures name components, measures and numbers."""

import numpy as np
from numpy.typing import NDArray

from atlas.basis.errors import AtlasError, nearest
from atlas.measures import SHOWN, Measure
from atlas.relations.matrices import Matrix

COMPONENT_TITLES = {
    "all": "All components",
    "unet": "UNet",
    "transformer": "Transformer",
    "vae": "VAE",
    "text_encoder": "Text encoder",
    "text_encoder_2": "Text encoder 2",
    "text_encoder_3": "Text encoder 3",
    "controlnet": "ControlNet",
    "ema": "EMA copy",
    "other": "Other tensors",
    "network": "Network",
}

ROLE_TITLES = {
    "self_attention": "Self-attention",
    "cross_attention": "Cross-attention",
    "feed_forward": "Feed forward",
    "convolution": "Convolution",
    "projection": "Projection",
    "embedding": "Embedding",
    "norm": "Norm",
    "other": "Other",
}


def measure_of(matrix: Matrix) -> Measure:
    """Return the facts of the matrix's measure; raise AtlasError for an unknown one."""
    if matrix.measure not in SHOWN:
        hint = nearest(matrix.measure, SHOWN)
        raise AtlasError(f"group {matrix.group}: no measure {matrix.measure} to draw{hint}")
    return SHOWN[matrix.measure]


def distances_of(matrix: Matrix) -> NDArray[np.float64]:
    """Return the values as distances: 0 for identical models, 1 - s for a similarity s."""
    values = 1.0 - matrix.values if measure_of(matrix).is_similarity else matrix.values.copy()
    values[matrix.identical] = 0.0
    np.fill_diagonal(values, 0.0)
    return np.asarray(np.maximum(values, 0.0))


def partly_compared(matrix: Matrix) -> NDArray[np.bool_]:
    """Return the pairs whose distance covers some of their parameters only: shape (N, N)."""
    if matrix.coverage is None:
        return np.zeros(matrix.values.shape, dtype=bool)
    partial = ~np.isnan(matrix.values) & (matrix.coverage < 1)
    np.fill_diagonal(partial, False)
    return np.asarray(partial)


def shared_in_part(matrix: Matrix) -> NDArray[np.bool_]:
    """
    Return the pairs of which all that could be compared is identical, and some could not be.

    Shape (N, N). They have no distance: 0 would claim too much.
    """
    if matrix.coverage is None:
        return np.zeros(matrix.values.shape, dtype=bool)
    shared = np.isnan(matrix.values) & (matrix.coverage > 0) & (matrix.coverage < 1)
    np.fill_diagonal(shared, False)
    return np.asarray(shared)


def titled(component: str) -> str:
    """Return a component as titles write it."""
    return COMPONENT_TITLES.get(component, component)


def role_title(role: str) -> str:
    """Return a role as titles write it."""
    return ROLE_TITLES.get(role, role)


def component_title(matrix: Matrix) -> str:
    """Return the matrix's component as titles write it."""
    return titled(matrix.component)


def counted(number: int, noun: str) -> str:
    """
    Return the number and the noun, in the plural where it should be.

    >>> counted(1, "model"), counted(3, "model")
    ('1 model', '3 models')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def significant(value: float, digits: int = 4) -> str:
    """
    Return the value with so many significant digits, without an exponent where it is short.

    >>> [significant(v) for v in (278.068, 0.00467, 110933.0, 3.783e-05, 12.0)]
    ['278.1', '0.00467', '110,900', '3.783e−5', '12']
    """
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e7:
        text = f"{float(f'{value:.{digits}g}'):,.10f}"
        exponent = ""
    else:
        text, power = f"{value:.{digits - 1}e}".split("e")
        exponent = f"e{int(power)}"
    text = (text.rstrip("0").rstrip(".") if "." in text else text) + exponent
    return text.replace("-", "−")


def span_text(values: NDArray[np.float64], digits: int) -> str:
    """Return the smallest and the largest of some values, or one where both read the same."""
    low, high = (significant(float(value), digits) for value in (values.min(), values.max()))
    return high if low == high else f"{low} to {high}"
