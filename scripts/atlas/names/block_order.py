"""The order of a component's blocks: as a forward pass comes upon them."""

import re
from collections.abc import Iterable

STAGES = (
    "IN",
    "MID",
    "OUT",
    "joint_transformer_blocks",
    "transformer_blocks",
    "single_transformer_blocks",
    "blocks",
    "layers",
    "layer",
    "block",
    "h",
)
"""Series of numbered blocks, in the order in which a network has them."""
LATE = (
    "controlnet_down_blocks",
    "controlnet_mid_block",
    "quant_conv",
    "bn",
    "quantize",
    "post_quant_conv",
    "decoder",
    "norm",
    "norm_out",
    "conv_norm_out",
    "final_layer_norm",
    "all_final_layer",
    "pooler",
    "text_projection",
    "proj_out",
    "conv_out",
)
"""What stands outside of them, and comes after."""

NUMBERED = re.compile(r"(.*?)\.?(\d+)")


def in_order(blocks: Iterable[str]) -> list[str]:
    """
    Return blocks in the network's order: embedders, the series of blocks, what leads out.

    What is not known stands first, in the order of the alphabet.

    >>> in_order(["conv_out", "OUT00", "IN10", "MID", "IN09", "time_embedding"])
    ['time_embedding', 'IN09', 'IN10', 'MID', 'OUT00', 'conv_out']
    >>> in_order(["layers.10", "layers.9", "final_layer_norm", "embeddings"])
    ['embeddings', 'layers.9', 'layers.10', 'final_layer_norm']
    """
    return sorted(blocks, key=_rank)


def series_of(block: str) -> tuple[str, str]:
    """
    Return the series that a block is one of, and its number there; its own name and "" if none.

    >>> series_of("transformer_blocks.12"), series_of("IN03"), series_of("MID")
    (('transformer_blocks', '12'), ('IN', '03'), ('MID', ''))
    """
    found = NUMBERED.fullmatch(block)
    return (found[1], found[2]) if found and found[1] in STAGES else (block, "")


def _rank(block: str) -> tuple[int, int, int, str]:
    series, number = series_of(block)
    if series in STAGES:
        return 1, STAGES.index(series), int(number or 0), block
    if block in LATE:
        return 2, LATE.index(block), 0, block
    return 0, 0, 0, block
