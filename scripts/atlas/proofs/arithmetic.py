"""The arithmetic of mergers: the same sum in the order and precision in which tools take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np

from atlas.proofs.rounding import ROUNDINGS, Rounding, Singles, Values, as_it_is, fused

NATIVE = ("f16", "bf16")
"""Dtypes that some mergers compute in, where the files have them."""

MOST_PERMUTED = 6
"""Of more parents only the order of the recipe, and that one reversed, are tried."""

MOST_PERMUTED_IN_DOUBLE = 3
"""There an order decides one element of a billion."""

CLOSE = 1e-9
"""Weights are plain numbers in float64: two that are nearer than this are the same number."""

Weights = tuple[float, ...]
Compute = Callable[[Sequence[Singles], Weights, Rounding], Singles]


@dataclass(frozen=True)
class Arithmetic:
    """One way to take a weighted sum."""

    name: str
    used_by: str
    """Tools that compute so, for the docs."""
    fits: Callable[[Weights], bool]
    """Whether it can take a sum with these weights, in their order."""
    compute: Compute | None
    """Takes float32 parents in order, weights, and what rounds each step; None: float64."""
    native: bool = False
    """Whether each step is rounded to the target's own dtype, float16 or bfloat16."""
    symmetric: bool = False
    """Whether the first two parents may be exchanged."""
    rest: bool = False
    """Whether the first weight is what the others leave of 1, as (1 − m) is computed."""

    def orders(self, weights: Weights) -> list[tuple[int, ...]]:
        """Return the orders of the parents that make a difference, the recipe's own first."""
        count = len(weights)
        own = tuple(range(count))
        most = MOST_PERMUTED if self.compute else MOST_PERMUTED_IN_DOUBLE
        every = permutations(own) if count <= most else [own, own[::-1]]
        return [
            order
            for order in every
            if (not self.symmetric or count < 2 or order[0] < order[1] or count > most)
            and self.fits(tuple(weights[place] for place in order))
        ]

    def values(self, parents: Sequence[Values], weights: Weights, dtype: str) -> Values:
        """
        Return the sum before it is stored: float32, or float64 where it is taken so.

        Parameters
        ----------
        parents
            float32 or float64 of one shape, in order, as are the weights.
        dtype
            The target's.
        """
        alone = [place for place, weight in enumerate(weights) if weight]
        if len(alone) == 1 and weights[alone[0]] == 1:
            return parents[alone[0]]
        if self.compute is None or not self.fits(weights):
            return sum_in_double(parents, _from_the_rest(weights) if self.rest else weights)
        rounding = ROUNDINGS[dtype] if self.native and dtype in NATIVE else as_it_is
        singles = [each.astype(np.float32, copy=False) for each in parents]
        return self.compute(singles, weights, rounding)


def sum_in_double(parents: Sequence[Values], weights: Weights) -> Values:
    """Return Σ weight × parent in float64, added in order."""
    total = weights[0] * parents[0].astype(np.float64)
    for parent, weight in zip(parents[1:], weights[1:], strict=True):
        total += weight * parent.astype(np.float64)
    return total


def _from_the_rest(weights: Weights) -> Weights:
    """Return the weights with the first as Python has it: 1 − 0.8 is not the double that 0.2 is."""
    first = 1.0
    for weight in weights[1:]:
        first -= weight
    return (first, *weights[1:])


def _any(_: Weights) -> bool:
    return True


def _convex_or_signed(weights: Weights) -> bool:
    return abs(sum(weights) - 1) < CLOSE


def _two(weights: Weights) -> bool:
    return len(weights) == 2 and _convex_or_signed(weights)


def _nested(weights: Weights) -> bool:
    """Whether each next parent can be mixed into the sum of those before it."""
    upto = np.cumsum(weights)
    return len(weights) > 2 and _convex_or_signed(weights) and bool((abs(upto[1:]) > CLOSE).all())


def _difference(weights: Weights) -> bool:
    """Whether it is a + m (b − c)."""
    return (
        len(weights) == 3
        and weights[0] == 1
        and weights[1] > 0
        and abs(weights[1] + weights[2]) < CLOSE
    )


def _far_deltas(weights: Weights) -> bool:
    """Whether deltas from a base are no lerp: of two parents they are, from the nearer end."""
    return _convex_or_signed(weights) and (len(weights) > 2 or abs(weights[1]) >= 0.5)


def _equal(weights: Weights) -> bool:
    return max(weights) - min(weights) < CLOSE and _convex_or_signed(weights)


def _of_whole_parts(weights: Weights) -> bool:
    """Whether the weights are whole numbers by their sum, such as 1 and 2 by 3."""
    parts = _parts(weights)
    return _convex_or_signed(weights) and min(weights) > 0 and parts & (parts - 1) != 0


def _parts(weights: Weights) -> int:
    """Return the fewest equal parts that all weights are multiples of, up to twelve; else 1."""
    for parts in range(1, 13):
        if all(abs(weight * parts - round(weight * parts)) < CLOSE for weight in weights):
            return parts
    return 1


def _lerp(start: Singles, end: Singles, weight: float) -> Singles:
    """torch.lerp as written: from the nearer end."""
    near = np.float32(weight)
    if abs(near) < 0.5:
        return start + near * (end - start)
    return end - (end - start) * (np.float32(1) - near)


def _fused_lerp(start: Singles, end: Singles, weight: float) -> Singles:
    """torch.lerp as compiled: one fused multiply-add from the nearer end."""
    near = np.float32(weight)
    if abs(near) < 0.5:
        return fused(end - start, near, start)
    return fused(end - start, near - np.float32(1), end)


def _factors(weights: Weights) -> list[float]:
    """
    Return with which weight each next parent is mixed into the sum of those before it.

    >>> _factors((0.35, 0.35, 0.3))
    [0.5, 0.3]
    """
    return [_plain(weights[at] / sum(weights[: at + 1])) for at in range(1, len(weights))]


def _plain(number: float) -> float:
    near = Fraction(number).limit_denominator(10_000)
    return float(near) if abs(float(near) - number) < CLOSE else number


def _weighted(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
    """w₁a + w₂b + …: each product rounded, then each sum."""
    total = rounded(parents[0] * np.float32(weights[0]))
    for parent, weight in zip(parents[1:], weights[1:], strict=True):
        total = rounded(total + rounded(parent * np.float32(weight)))
    return total


def _nested_weighted(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
    """(1 − n)((1 − m)a + mb) + nc."""
    total = parents[0]
    for parent, factor in zip(parents[1:], _factors(weights), strict=True):
        total = _weighted([total, parent], (1 - factor, factor), rounded)
    return total


def _by(lerp: Callable[[Singles, Singles, float], Singles]) -> Compute:
    def mixed(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
        total = parents[0]
        for parent, factor in zip(parents[1:], _factors(weights), strict=True):
            total = rounded(lerp(total, parent, factor))
        return total

    return mixed


def _add_difference(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
    """A + m(b − c)."""
    first, plus, minus = parents
    difference = rounded(plus - minus)
    return rounded(first + rounded(difference * np.float32(weights[1])))


def _addcmul(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
    """a.addcmul(b − c, m), fused; m is a tensor, and of the dtype of the others."""
    first, plus, minus = parents
    scale = rounded(np.array([weights[1]], np.float32))[0]
    return rounded(fused(rounded(plus - minus), scale, first))


def _deltas(parents: Sequence[Singles], weights: Weights, rounded: Rounding) -> Singles:
    """Base + Σ w(x − base): products are rounded, their sum once, and that with the base."""
    base, *others = parents
    scales = rounded(np.array(weights[1:], np.float32))
    terms = [
        rounded(rounded(each - base) * scale) for each, scale in zip(others, scales, strict=True)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return rounded(base + rounded(total))


def _fused_deltas(parents: Sequence[Singles], weights: Weights, _: Rounding) -> Singles:
    """Base, to which each w(x − base) is added by a fused multiply-add."""
    base, *others = parents
    total = base
    for each, weight in zip(others, weights[1:], strict=True):
        total = fused(each - base, np.float32(weight), total)
    return total


def _chain(parents: Sequence[Singles], weights: Weights, _: Rounding) -> Singles:
    """Fused multiply-adds from zero, divided by the sum of the weights where that is to be 1."""
    total = _multiplied(parents, weights)
    whole = _sum_in_single(weights)
    return total / whole if _convex_or_signed(weights) and whole != 1 else total


def _chain_of_parts(parents: Sequence[Singles], weights: Weights, _: Rounding) -> Singles:
    """Fused multiply-adds of whole weights from zero, divided by their sum."""
    parts = _parts(weights)
    whole = tuple(float(round(weight * parts)) for weight in weights)
    return _multiplied(parents, whole) / _sum_in_single(whole)


def _multiplied(parents: Sequence[Singles], weights: Weights) -> Singles:
    total = np.zeros_like(parents[0])
    for parent, weight in zip(parents, weights, strict=True):
        total = fused(parent, np.float32(weight), total)
    return total


def _sum_in_single(weights: Weights) -> np.float32:
    total = np.float32(0)
    for weight in weights:
        total = total + np.float32(weight)
    return total


def _mean(parents: Sequence[Singles], _: Weights, rounded: Rounding) -> Singles:
    """(a + b + …) / n."""
    total = parents[0]
    for parent in parents[1:]:
        total = rounded(total + parent)
    return rounded(total / np.float32(len(parents)))


ARITHMETICS = (
    Arithmetic("float64 sum", "the demo's merges", _any, None, symmetric=True),
    Arithmetic("float64 sum with 1 - m", "the demo's merges by block", _convex_or_signed, None,
               rest=True),
    Arithmetic("weighted sum", "A1111, old supermerger", _any, _weighted, symmetric=True),
    Arithmetic("native weighted sum", "the same of float16 files", _any, _weighted, True, True),
    Arithmetic("fused lerp", "torch.lerp: sd-mecha, supermerger", _two, _by(_fused_lerp)),
    Arithmetic("lerp", "torch.lerp where nothing is fused", _two, _by(_lerp)),
    Arithmetic("nested fused lerp", "sd-mecha's averages", _nested, _by(_fused_lerp)),
    Arithmetic("nested lerp", "the same where nothing is fused", _nested, _by(_lerp)),
    Arithmetic("native nested lerp", "the same in float16", _nested, _by(_fused_lerp), True),
    Arithmetic("nested weighted sum", "supermerger's sum twice", _nested, _nested_weighted,
               symmetric=True),
    Arithmetic("native nested weighted sum", "the same of float16 files", _nested,
               _nested_weighted, True, True),
    Arithmetic("difference", "A1111, supermerger", _difference, _add_difference),
    Arithmetic("native difference", "the same of float16 files", _difference,
               _add_difference, True),
    Arithmetic("fused difference", "torch.addcmul: sd-mecha", _difference, _addcmul),
    Arithmetic("native fused difference", "the same in float16", _difference, _addcmul, True),
    Arithmetic("deltas", "mergekit's task arithmetic", _convex_or_signed, _deltas),
    Arithmetic("native deltas", "the same of float16 files", _convex_or_signed, _deltas, True),
    Arithmetic("fused deltas", "addcmul from a base", _far_deltas, _fused_deltas),
    Arithmetic("fused chain", "mergekit's linear", _any, _chain),
    Arithmetic("fused chain, divided", "mergekit's linear of whole weights", _of_whole_parts,
               _chain_of_parts),
    Arithmetic("mean", "(a + b + c) / 3", _equal, _mean, symmetric=True),
    Arithmetic("native mean", "the same of float16 files", _equal, _mean, True, True),
)  # fmt: skip
"""All that are tried, those first that are named where several are equal to the last bit."""

BY_NAME = {each.name: each for each in ARITHMETICS}
