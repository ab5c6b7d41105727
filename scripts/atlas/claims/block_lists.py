"""Lists of weights by block, as mergers write them, laid out onto the blocks of a model."""

from collections.abc import Mapping, Sequence
from functools import cache

from atlas.basis.shipped import load
from atlas.claims.claim import Held
from atlas.names.components import part_of

BASE = "BASE"
VAE = "VAE"
TIMES = ("time_embedding", "add_embedding", "class_embedding", "time_proj")
"""Blocks of a UNet that mergers do not count as blocks."""
OUTS = ("conv_norm_out", "conv_out")


@cache
def _lists() -> Mapping[int, tuple[str, ...]]:
    told = load("claims/block_lists")["lists"]
    return {len(labels): labels for labels in (tuple(each.split()) for each in told)}


def by_label(weights: Sequence[float], base: float | None = None) -> dict[str, float] | None:
    """
    Return a list of weights by the tools' labels of blocks; None for a list of unknown length.

    Parameters
    ----------
    base
        The weight of the first label where the list has no place for it.

    >>> by_label([0.5] * 25, 0.1)["BASE"], by_label([0.5] * 3)
    (0.1, None)
    """
    whole = list(weights)
    if base is not None and len(whole) + 1 in _lists():
        whole = [base, *whole]
    labels = _lists().get(len(whole))
    return dict(zip(labels, whole, strict=True)) if labels else None


def label_of(component: str, block: str, held: Held, *, time: str = "IN00") -> str | None:
    """
    Return the label under which mergers count a part of a model; None for what they do not know.

    Parameters
    ----------
    time
        The label of the embedding of time and sizes: `IN00` in supermerger, `BASE` in sd-mecha.
    """
    part = part_of(component)
    if part == "vae":
        return VAE
    if part == "text_encoder":
        place = held.text_encoders.index(component) if component in held.text_encoders else 0
        return ("CLIP", "T5")[min(place, 1)] if held.denoiser == "transformer" else BASE
    if part != "denoiser":
        return None
    if held.denoiser == "transformer":
        return _transformer_label(block)
    if block in TIMES:
        return time
    if block in OUTS:
        return max(
            (name for name in held.blocks.get(component, ()) if name[:3] == "OUT"), default="OUT11"
        )
    return "M00" if block == "MID" else block


def value_of(
    component: str, block: str, held: Held, labels: Mapping[str, float], *, time: str = "IN00"
) -> float | None:
    """Return the weight of a part of a model by labels; None where they do not tell it."""
    label = label_of(component, block, held, time=time)
    if label in (VAE, "CLIP", "T5") and label not in labels:
        label = BASE
    return labels.get(label) if label else None


def _transformer_label(block: str) -> str:
    """Return the label of a block of FLUX.1's transformer."""
    series, _, number = block.rpartition(".")
    if number.isdigit() and series in ("transformer_blocks", "single_transformer_blocks"):
        return f"{'D' if series == 'transformer_blocks' else 'S'}{int(number):03d}"
    return "OUT" if block in ("norm_out", "proj_out") else "IN"
