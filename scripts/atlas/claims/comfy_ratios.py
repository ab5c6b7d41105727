"""Which ratio ComfyUI's merging nodes take for a block: that of the longest name that fits."""

from collections.abc import Mapping
from functools import cache

from atlas.basis.shipped import load
from atlas.claims.claim import Held

Ratios = Mapping[str, float]
"""How keys begin, to ratios; the first is the default (nodes_model_merging.py)."""


def ratio_of(block: str, ratios: Ratios, held: Held) -> float | None:
    """
    Return the ratio of a block; None where there is none, or its tensors have several.

    >>> ratio_of("OUT03", {"input": 1.0, "middle": 0.5, "out": 0.25}, Held())
    0.25
    >>> ratio_of("IN01", {"time_embed.": 0.9, "input_blocks.1": 0.2}, Held())
    0.2
    """
    beginnings = _beginnings(block, held.denoiser)
    if not ratios or not beginnings:
        return None
    found = {ratio for begins in beginnings for ratio in _of_keys(begins, ratios)}
    fits = [begins for begins in beginnings if any(_touch(begins, name) for name in ratios)]
    if len(beginnings) > 1 and fits:
        found = {ratio for begins in fits for ratio in _of_keys(begins, ratios)}
    return found.pop() if len(found) == 1 else None


def _of_keys(begins: str, ratios: Ratios) -> set[float]:
    """Return the ratios of all keys that begin so."""
    finer = {ratio for name, ratio in ratios.items() if name.startswith(begins) and name != begins}
    fitting = [name for name in ratios if begins.startswith(name)]
    default = next(iter(ratios.values()))
    coarse = ratios[max(fitting, key=len)] if fitting else default
    # a node for blocks within one names them all, so that the coarse ratio is nobody's
    return finer or {coarse}


def _touch(begins: str, name: str) -> bool:
    return begins.startswith(name) or name.startswith(begins)


@cache
def _beginnings(block: str, denoiser: str) -> tuple[str, ...]:
    facts: Mapping[str, str | list[str]] = load("claims/comfyui")[denoiser]
    name = block
    number = ""
    head = block.rstrip("0123456789")
    if head != block:
        name, number = f"{head}#", str(int(block[len(head) :]))
    told = facts.get(name, [])
    listed = [told] if isinstance(told, str) else told
    return tuple(each.replace("#", number) for each in listed)
