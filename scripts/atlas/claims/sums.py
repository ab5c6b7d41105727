"""Sums of models with weights, part by part, and the claims that they make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from atlas.claims.claim import WHOLE, Claim, Held, Kind, Parent

Sum = Mapping[Parent, float]
"""Parent to its weight; parents are the same where all that is told of them is."""

Part = tuple[str, str]
"""Component and block."""

LARGEST = 1e6
"""Weight that is told; what a chain of merges makes of large ones may be anything."""

SLACK = 1e-9
"""Of weights that sum to 1."""


@dataclass(frozen=True)
class Unclear:
    """What stands in the place of a sum where there is none: in words."""

    words: str
    parents: tuple[Parent, ...] = ()


def weighted(*terms: tuple[float, Sum]) -> Sum:
    """
    Return Σ factor × sum, without parents whose weights cancel; what is no number stays so.

    >>> a, b = Parent("a"), Parent("b")
    >>> found = weighted((0.75, {a: 1.0}), (0.25, {a: 0.5, b: 0.5}))
    >>> {parent.name: weight for parent, weight in found.items()}
    {'a': 0.875, 'b': 0.125}
    """
    total: dict[Parent, float] = {}
    for factor, models in terms:
        for parent, weight in models.items():
            total[parent] = total.get(parent, 0.0) + factor * weight
    return {parent: tidy(weight) for parent, weight in total.items() if not abs(weight) <= SLACK}


def tidy(weight: float) -> float:
    """
    Return a weight without what float64 adds to plain decimal numbers.

    >>> tidy(1 - 0.7)
    0.3
    """
    return float(f"{weight:.12g}")


def claims_of(source: str, parts: Mapping[Part, Sum | Unclear], detail: str = "") -> list[Claim]:
    """
    Return the claims that sums of parts make: one for a component whose blocks are all alike.

    A component that is one model's alone is a copy of it, where all components are, else a
    component of it.
    """
    components: dict[str, dict[str, Sum | Unclear]] = {}
    for (component, block), held in parts.items():
        components.setdefault(component, {})[block] = _checked(held)
    folded = {name: _folded(blocks) for name, blocks in components.items()}
    if len(folded) > 1 and all(set(blocks) == {WHOLE} for blocks in folded.values()):
        wholes = [blocks[WHOLE] for blocks in folded.values()]
        if all(each == wholes[0] for each in wholes):
            folded = {WHOLE: {WHOLE: wholes[0]}}
    return [
        _claim(source, _kind(component, blocks.values()), component, block, held, detail)
        for component, blocks in folded.items()
        for block, held in blocks.items()
    ]


def _checked(held: Sum | Unclear) -> Sum | Unclear:
    if isinstance(held, Unclear) or all(abs(each) <= LARGEST for each in held.values()):
        return held if held else Unclear("nothing is left of any model")
    return Unclear("weights beyond all measure", tuple(held))


def merged_parts(held: Held) -> list[Part]:
    """Return the parts that mergers merge: blocks of denoiser, text encoders and VAE."""
    return [(component, block) for component, blocks in held.models.items() for block in blocks]


def _folded(blocks: Mapping[str, Sum | Unclear]) -> Mapping[str, Sum | Unclear]:
    first = next(iter(blocks.values()))
    return {WHOLE: first} if all(each == first for each in blocks.values()) else blocks


def _kind(component: str, sums: Iterable[Sum | Unclear]) -> Kind:
    held = list(sums)
    linear = [each for each in held if not isinstance(each, Unclear)]
    if not linear:
        return Kind.OTHER
    weights = [weight for each in linear for weight in each.values()]
    if len(held) == 1 and weights == [1.0]:
        return Kind.COPY if component == WHOLE else Kind.COMPONENT_OF
    is_convex = all(abs(sum(each.values()) - 1) < SLACK for each in linear)
    is_convex = is_convex and min(weights, default=-1.0) >= 0
    return Kind.WEIGHTED_SUM if is_convex else Kind.ADD_DIFFERENCE


def _claim(
    source: str, kind: Kind, component: str, block: str, held: Sum | Unclear, detail: str
) -> Claim:
    if isinstance(held, Unclear):
        told = "; ".join(filter(None, [held.words, detail]))
        return Claim(source, Kind.OTHER, component, block, held.parents, detail=told)
    parents = tuple(replace(parent, weight=weight) for parent, weight in held.items())
    return Claim(source, kind, component, block, parents, detail=detail)
