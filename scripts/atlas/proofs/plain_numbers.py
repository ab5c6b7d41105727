"""Plain numbers near fitted weights: what a person would have typed."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor, isfinite, prod

DENOMINATORS = (1, 2, 4, 10, 20, 3, 100, 8, 6, 7, 200, 1000, 10_000, 100_000)
"""Plain numbers are whole multiples of one of these parts; those of the fewest digits first."""

LEAST_ERROR = 5e-5
"""Weights from distances in float32 are no surer than this, whatever their standard error."""

STANDARD_ERRORS = 4.0
"""How many of them a plain number may lie away."""

MOST = 512
"""Sets of weights that are thought of."""

Weights = tuple[float, ...]


def plain_weights(weights: Sequence[float], errors: Sequence[float | None]) -> list[Weights]:
    """
    Return sets of plain numbers that the weights may have been, the plainest first.

    All weights of a set are multiples of one part, and sum to 1 where the fitted ones do within
    their errors; sets that do not come after those. The fitted weights themselves come last.

    >>> plain_weights([0.7003, 0.2997], [0.001, 0.001])[0]
    (0.7, 0.3)
    >>> plain_weights([1.0, 0.3333, -0.3333], [1e-5, 1e-5, 1e-5])[0]
    (1.0, 0.3333333333333333, -0.3333333333333333)
    """
    reach = [_reach(error) for error in errors]
    one = abs(sum(weights) - 1) <= sum(reach)
    found: dict[tuple[Fraction, ...], None] = {}
    for sums_to_one in (True, False) if one else (False,):
        for denominator in DENOMINATORS:
            for numerators in _numerators(weights, reach, denominator, sums_to_one=sums_to_one):
                found[tuple(Fraction(each, denominator) for each in numerators)] = None
                if len(found) == MOST:
                    break
    plain = [tuple(map(float, each)) for each in found if any(each)][:MOST]
    fitted = tuple(map(float, weights))
    return plain if fitted in plain else [*plain, fitted]


def _reach(error: float | None) -> float:
    known = error if error is not None and isfinite(error) else 0.0
    return min(1.0, STANDARD_ERRORS * known + LEAST_ERROR)


def _numerators(
    weights: Sequence[float], reach: Sequence[float], denominator: int, *, sums_to_one: bool
) -> Iterator[tuple[int, ...]]:
    """Yield whole numbers of parts within reach of the weights, the nearest first."""
    ranges = [
        range(ceil((each - far) * denominator), floor((each + far) * denominator) + 1)
        for each, far in zip(weights, reach, strict=True)
    ]
    free = ranges[1:] if sums_to_one else ranges
    if prod(map(len, ranges)) == 0 or prod(map(len, free)) > MOST * 8:
        return
    chosen = product(*free)
    whole = (
        (
            (denominator - sum(each), *each)
            for each in chosen
            if denominator - sum(each) in ranges[0]
        )
        if sums_to_one
        else chosen
    )
    yield from sorted(
        whole,
        key=lambda each: (
            sum(
                abs(number / denominator - weight)
                for number, weight in zip(each, weights, strict=True)
            ),
            each,
        ),
    )
