"""Which ways of making a part again are right on a sample of its elements."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, product

from atlas.proofs.arithmetic import ARITHMETICS, BY_NAME, NATIVE, Weights
from atlas.proofs.values import Chunk, Making, Tally

FEW = 4096
"""Elements by which all ways are screened."""

KEPT_WEIGHTS = 6
"""Sets of plain numbers that all arithmetics are tried with: as many near, and as many plain."""

NEAR = 0.05
"""How much less of a share a set may make and still be near: the few elements leave 0.02."""

KEPT = 24
"""Ways that are counted on the whole sample."""

MOST_MIXED = 3
"""Of more parents all are cast alike, or none."""

Casts = tuple[str, ...]


def search(
    sample: Sequence[Chunk], weights: Sequence[Weights], casts: Sequence[Sequence[str]]
) -> list[tuple[Making, Tally]]:
    """
    Return the best ways on the sample, with what they make there, the best first.

    Of ways that make equally much those come first that cast least, and then in order of the
    weights and of the arithmetics. Without a sample none is better than another.

    Parameters
    ----------
    weights
        Sets of weights to try, the plainest first.
    casts
        For each parent what it may have been rounded to; the empty one first.
    """
    few = [chunk.every(max(1, sum(each.size for each in sample) // FEW)) for chunk in sample]
    dtypes = {chunk.dtypes[0] for chunk in sample}
    kept = _nearest(few, weights, len(casts))
    ways: list[tuple[Making, Tally]] = []
    for stage in _stages(casts):
        for chosen in kept:
            tried = [(each, count(few, each)) for each in makings(chosen, stage, dtypes)]
            ways.extend(tried)
            if any(_is_whole(tally) for _, tally in tried):
                break
        if any(_is_whole(tally) for _, tally in ways):
            break
    best = sorted(ways, key=_share, reverse=True)[:KEPT]  # stable: else in the order of the trials
    if not sample:
        return best
    return sorted(((each, count(sample, each)) for each, _ in best), key=_share, reverse=True)


def makings(weights: Weights, casts: Iterable[Casts], dtypes: Iterable[str]) -> Iterator[Making]:
    """Yield every arithmetic that can take a sum with these weights, in every order and cast."""
    has_native = not set(dtypes).isdisjoint(NATIVE)
    for chosen in casts:
        for arithmetic in ARITHMETICS:
            if arithmetic.native and not has_native:
                continue
            for order in arithmetic.orders(weights):
                yield Making(arithmetic, order, weights, chosen)


def count(chunks: Sequence[Chunk], making: Making) -> Tally:
    """Return what a way makes of chunks."""
    return sum((chunk.tally(making) for chunk in chunks), Tally())


def plainest(sample: Sequence[Chunk], weights: Sequence[Weights]) -> Weights:
    """Return the weights of those that make most of a tensor in float64, the plainest of equals."""
    return _nearest(sample, weights, len(weights[0]))[0]


def _nearest(few: Sequence[Chunk], weights: Sequence[Weights], parents: int) -> list[Weights]:
    """Return the weights that make most in one arithmetic: the nearer ones make more."""
    own = tuple(range(parents))
    making = Making(BY_NAME["float64 sum"], own, weights[0], ("",) * parents)
    shares = {
        each: count(few, replace(making, weights=each)).share or 0.0
        for each in dict.fromkeys(weights)
    }
    nearest = sorted(shares, key=lambda each: shares[each], reverse=True)[:KEPT_WEIGHTS]
    least = shares[nearest[0]] - NEAR
    plain = [each for each in shares if shares[each] >= least][:KEPT_WEIGHTS]
    return list(dict.fromkeys([*plain, *nearest]))


def _stages(casts: Sequence[Sequence[str]]) -> Iterator[list[Casts]]:
    """Yield casts to try: none, then all parents alike, then each by itself."""
    none = ("",) * len(casts)
    yield [none]
    alike = [(dtype,) * len(casts) for dtype in dict.fromkeys(chain.from_iterable(casts)) if dtype]
    every = [
        tuple(dtype if dtype in own else "" for dtype, own in zip(each, casts, strict=True))
        for each in alike
    ]
    uniform = [each for each in dict.fromkeys(every) if each != none]
    yield uniform
    if len(casts) <= MOST_MIXED:
        yield [each for each in product(*casts) if each != none and each not in uniform]


def _share(way: tuple[Making, Tally]) -> float:
    return way[1].share or 0.0


def _is_whole(tally: Tally) -> bool:
    return tally.elements > 0 and tally.equal == tally.elements
