"""What the measures of a difference are called, how they add up, and what follows from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

MEASURED = ("l0", "l1", "l2", "linf", "dot")
"""Taken from the weights, per pair of tensors."""

DERIVED = ("cosine", "relative_l2", "rms", "changed_fraction")
"""Computed from the measured ones, the norms and the counts."""

SIMILARITIES = frozenset({"cosine"})
"""Measures that are largest for equal models."""

UNITS = {
    "l0": "elements that differ",
    "l1": "sum of absolute differences",
    "l2": "Euclidean norm of the difference",
    "linf": "largest absolute difference",
    "cosine": "cosine of the weights, 1 = same direction",
    "relative_l2": "L2 / norm of the pair's first model",
    "rms": "L2 / √parameters",
    "changed_fraction": "share of elements that differ",
}


def derive(
    *,
    l0: FloatArray,
    l2: FloatArray,
    dot: FloatArray,
    norm_a: FloatArray,
    norm_b: FloatArray,
    parameters: npt.NDArray[np.int64],
) -> dict[str, FloatArray]:
    """
    Return the derived measures of pairs of tensors or of whole parts, elementwise.

    All inputs are float64 arrays of one shape, but for the parameters compared (int64). Where
    nothing was compared, or a norm is 0, the measure is not defined and comes out as NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.clip(dot / (norm_a * norm_b), -1.0, 1.0)
        derived = {
            "cosine": cosine,
            "relative_l2": l2 / norm_a,
            "rms": l2 / np.sqrt(parameters),
            "changed_fraction": l0 / parameters,
        }
    return {
        name: np.where(np.isfinite(values) & (parameters > 0), values, np.nan)
        for name, values in derived.items()
    }
