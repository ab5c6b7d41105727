"""
The places of an OpenAI UNet's blocks, from the keys that are there.

With n residual blocks per level, input_blocks holds conv_in and then, level by level, n
residual blocks and a downsampler (none after the last level); output_blocks holds n + 1
residual blocks a level, the last of them with an upsampler (none in the last level). So the
first upsampler tells n, whatever the widths, the number of levels and where attention is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

INNER = ("resnet", "attention")
"""Tables of the layout's modules that hold within a block."""


def modules(keys: Iterable[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules for the UNet whose keys are given: the start of a key to its name."""
    children = _children(keys)
    per_level = _blocks_per_level(children)
    rules = {source: target for source, target in facts.items() if source not in INNER}
    for slot, inside in children.items():
        rules |= _child(slot, inside, per_level, facts)
    return rules


Slot = tuple[str, int, int]
"""input_blocks, middle_block or output_blocks; number of the block; number within the block."""


def _children(keys: Iterable[str]) -> dict[Slot, set[str]]:
    """Return the members of the blocks and the first part of what is in each."""
    children: dict[Slot, set[str]] = {}
    for key in keys:
        parts = key.split(".")
        if parts[0] == "middle_block" and len(parts) > 2:
            children.setdefault(("middle_block", 0, int(parts[1])), set()).add(parts[2])
        elif parts[0] in {"input_blocks", "output_blocks"} and len(parts) > 3:
            slot = (parts[0], int(parts[1]), int(parts[2]))
            children.setdefault(slot, set()).add(parts[3])
    return children


def _is_resnet(inside: set[str]) -> bool:
    return "in_layers" in inside


def _is_upsampler(child: int, inside: set[str]) -> bool:
    """A plain convolution, or (guided-diffusion's resblock_updown) a second residual block."""
    return child > 0 and ("conv" in inside or _is_resnet(inside))


def _blocks_per_level(children: Mapping[Slot, set[str]]) -> int:
    upsampled = [
        block
        for (stage, block, child), inside in children.items()
        if stage == "output_blocks" and _is_upsampler(child, inside)
    ]
    blocks = [block for stage, block, _ in children if stage == "output_blocks"]
    if not blocks:  # a ControlNet, which ends in the middle: the first downsampler tells
        return min(
            (
                block
                for (stage, block, _), inside in children.items()
                if stage == "input_blocks" and "op" in inside
            ),
            default=1,
        )
    return 1 + (min(upsampled) if upsampled else max(blocks, default=0))


def _child(
    slot: Slot, inside: set[str], per_level: int, facts: Mapping[str, Any]
) -> dict[str, Any]:
    stage, block, child = slot
    source = f"middle_block.{child}" if stage == "middle_block" else f"{stage}.{block}.{child}"
    if slot == ("input_blocks", 0, 0):
        return {}
    target = _target(slot, inside, per_level)
    if _is_resnet(inside):
        return _within(source, target, facts["resnet"])
    if "qkv" in inside:
        return _within(source, target, facts["attention"])
    if "op" in inside:
        return {f"{source}.op": f"{target}.conv"}
    return {source: target}


def _within(source: str, target: str, inner: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{source}.{key}": [f"{target}.{name}" for name in names]
        if isinstance(names, list)
        else f"{target}.{names}"
        for key, names in inner.items()
    }


def _target(slot: Slot, inside: set[str], per_level: int) -> str:
    stage, block, child = slot
    kind = "resnets" if _is_resnet(inside) else "attentions"
    if stage == "middle_block":
        return f"mid_block.{kind}.{child // 2}"
    level, layer = divmod(block - (stage == "input_blocks"), per_level)
    if stage == "input_blocks":
        is_last = layer == per_level - 1
        return f"down_blocks.{level}." + ("downsamplers.0" if is_last else f"{kind}.{layer}")
    if _is_upsampler(child, inside):
        return f"up_blocks.{level}.upsamplers.0"
    return f"up_blocks.{level}.{kind}.{layer}"
