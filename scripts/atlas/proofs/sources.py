"""Where a parent's weights may have come from: itself, or a relative that was rounded to it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from atlas.proofs.holdings import Holdings
from atlas.proofs.rounding import ROUNDINGS
from atlas.tensors.tensors import ITEM_BYTES


@dataclass(frozen=True)
class Source:
    """A model whose weights are read, and what they are rounded to first."""

    model: str
    """The one that the tables name."""
    cast: str
    """What the tables say that it was rounded to; empty for as it is."""
    rounded: str
    """What the weights that are read are rounded to."""


@dataclass(frozen=True)
class Parent:
    """A parent of a recipe: what is read for it, and what the merger may have had."""

    read: str
    """The widest of the parent and those alike."""
    sources: tuple[Source, ...]
    """The parent as it is first."""


def parent_of(
    holdings: Holdings, model: str, alike: Sequence[str], names: Collection[str]
) -> Parent:
    """
    Return what may stand behind a parent of a recipe.

    Of models that are alike but for rounding the widest is read; rounding gives the others.
    """
    dtypes = {each: _dtype(holdings, each, names) for each in [model, *alike]}
    known = {each: dtype for each, dtype in dtypes.items() if dtype}
    if model not in known:
        return Parent(model, (Source(model, "", ""),))
    widest = max(known, key=lambda each: (ITEM_BYTES[known[each]], each == model))
    own = known[widest]
    casts = [dtype for dtype in ROUNDINGS if ITEM_BYTES[dtype] < ITEM_BYTES[own]]
    named: dict[str, str] = {}
    for each, dtype in known.items():
        named.setdefault(dtype, each)
    sources = [Source(model if own == known[model] else widest, "", "")]
    for dtype in casts:
        holder = named.get(dtype)
        sources.append(
            Source(holder, "", dtype) if holder else Source(sources[0].model, dtype, dtype)
        )
    return Parent(
        widest, tuple(sorted(sources, key=lambda each: each.model != model or each.cast != ""))
    )


def _dtype(holdings: Holdings, model: str, names: Collection[str]) -> str:
    """Return the commonest dtype, by elements, of a model's tensors of these names."""
    held = holdings.of(model)
    counts: dict[str, int] = {}
    for name in names:
        if name in held:
            content = held[name].content
            counts[content.dtype] = counts.get(content.dtype, 0) + content.numel
    return max(sorted(counts), key=lambda dtype: counts[dtype], default="")
