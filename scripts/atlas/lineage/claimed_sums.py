"""
Whether a claimed sum explains a model where the weights were read as another one.

Some models are more than one sum of others: with x = a + (b − c) in the group, 0.5 a + 0.5 b is
0.5 x + 0.5 c as well. The fit tells one of them; who claims another is not wrong for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from atlas.claims.claim import Claim
from atlas.claims.comparing import SUMS
from atlas.lineage.fitted import Fits, Part
from atlas.recipes import affine, bounds
from atlas.recipes.tables import WHOLE

Squares = dict[tuple[str, str, str, str], tuple[float, int]]
"""Component, block and two models in order, to squared L2 and parameters compared."""


class ClaimedSums:
    """The distances among models of which sums are claimed."""

    def __init__(self, squares: Squares) -> None:
        self._squares = squares

    def explains(self, claim: Claim, part: Part) -> bool:
        """
        Tell whether a claimed sum leaves of a part no more than rounding does.

        Weights that do not sum to 1, and parents that share only some of the part's tensors, are
        not judged: False.
        """
        weights: dict[str, float] = {}
        for parent in claim.parents:
            if parent.weight:
                weights[parent.model] = weights.get(parent.model, 0.0) + parent.weight
        if not is_judged(claim) or part.target in weights:
            return False
        names = [part.target, *weights]
        between = np.zeros((len(names), len(names)))
        for row, one in enumerate(names):
            for column in range(row):
                first, second = sorted((one, names[column]))
                key = (part.component, part.block, first, second)
                square, compared = self._squares.get(key, (np.nan, 0))
                if compared != part.parameters or not np.isfinite(square):
                    return False
                between[row, column] = between[column, row] = square
        given = np.array(list(weights.values())), between[1:, 1:], between[0, 1:]
        precision = np.full(len(weights), bounds.MEASURED)
        beyond = affine.residual_squares(*given) - affine.resolution(*given, precision)
        if beyond <= 0:
            return True
        if not part.floor:
            return False
        ratio = float(beyond) / part.floor**2
        left = bounds.left(ratio, given[0], np.zeros(len(weights)), part.parameters, 1.0)
        return left is not bounds.Left.MORE


NOTHING = ClaimedSums({})
"""Where no distances are known."""


def is_judged(claim: Claim) -> bool:
    """Tell whether it is a sum of models at hand, with weights that sum to 1."""
    if claim.kind not in SUMS or any(parent.weight is None for parent in claim.parents):
        return False
    weighed = [parent for parent in claim.parents if parent.weight]
    total = sum(parent.weight or 0.0 for parent in weighed)
    return bool(weighed) and all(parent.model for parent in weighed) and abs(total - 1) < 1e-6


def read(distances: Path | None, claims: Mapping[str, Iterable[Claim]], fits: Fits) -> ClaimedSums:
    """
    Return the distances that claimed sums need, from a group's table of them.

    Parameters
    ----------
    distances
        As `compare_group` writes it; None where there is none.
    """
    models = {
        name
        for target, own in claims.items()
        if target in fits
        for claim in own
        if is_judged(claim)
        for name in (target, *(parent.model for parent in claim.parents if parent.weight))
    }
    if distances is None or not models:
        return NOTHING
    wanted = [("a", "in", models), ("b", "in", models), ("role", "=", WHOLE)]
    columns = ["component", "block", "a", "b", "l2", "compared_parameters"]
    rows = pq.read_table(distances, columns=columns, filters=wanted).to_pydict()
    keys = zip(*(rows[name] for name in columns[:4]), strict=True)
    values = zip(rows["l2"], rows["compared_parameters"], strict=True)
    return ClaimedSums(
        {
            key: (np.nan if l2 is None else l2**2, compared)
            for key, (l2, compared) in zip(keys, values, strict=True)
        }
    )
