"""The merge-block-weight (MBW) unit of each tensor of a component."""

from collections.abc import Iterable, Mapping
from functools import cache

from atlas.basis.shipped import load

UNET_STAGES = ("down_blocks", "up_blocks", "mid_block")
SAMPLERS = ("downsamplers", "upsamplers")


def blocks_of(names: Iterable[str]) -> dict[str, str]:
    """
    Return the block of each tensor of one component, by its name without the component.

    UNets have IN00 (conv_in), a unit per residual block (with the attention of its number) and
    per downsampler, MID, and a unit per residual block on the way up, where an upsampler
    belongs to the unit before it. Transformers have <list>.<index> for the members of their
    top-level lists of blocks. Everything else is named by its first module.
    """
    keys = _unit_keys(list(names))
    units = _unet_units(key for key in keys.values() if key)
    return {name: units.get(key) or _plain_block(name) for name, key in keys.items()}


def _plain_block(name: str) -> str:
    parts = name.split(".")
    if len(parts) > 2 and parts[1].isdigit() and parts[0] in _facts("lists"):
        return ".".join(parts[:2])
    for nested in _facts("nested"):
        depth = nested.count(".") + 1
        if len(parts) > depth and parts[depth].isdigit() and name.startswith(f"{nested}."):
            return f"{parts[depth - 1]}.{parts[depth]}"
    skipped = 1 if parts[0] in _facts("holders") and len(parts) > 2 else 0
    return parts[skipped]


@cache
def _facts(name: str) -> tuple[str, ...]:
    return tuple(load("names/blocks")[name])


UnitKey = tuple[str, int, str, int]
"""Stage, number of the block in it, kind of the module list, number in the list."""


def _unit_keys(names: Iterable[str]) -> dict[str, UnitKey | None]:
    """Return the place of each tensor that is in a UNet's stages."""
    keys = {name: _unit_key(name) for name in names}
    last = {key[:2]: key[3] for name, key in sorted(keys.items()) if key and ".resnets_in." in name}
    return {
        name: _beside_pair(key, last) if key and last and ".attentions." in name else key
        for name, key in keys.items()
    }


def _beside_pair(key: UnitKey, last: Mapping[tuple[str, int], int]) -> UnitKey:
    """
    Return the unit of Kandinsky 3's attention, which has one more attention than units.

    The first is of the whole block: at its start on the way down, at its end on the way up.
    """
    stage, block, kind, number = key
    if number:
        return (stage, block, kind, number - 1)
    return (stage, block, kind, last.get((stage, block), 0) if stage == "up_blocks" else 0)


def _unit_key(name: str) -> UnitKey | None:
    """Return the place of a UNet's tensor, None for tensors outside of the stages."""
    parts = name.split(".")
    if parts[0] == "conv_in":
        return ("conv_in", 0, "", 0)
    if parts[0] == "mid_block":
        return ("mid_block", 0, "", 0)
    if parts[0] not in UNET_STAGES or len(parts) < 4 or not (parts[1] + parts[3]).isdigit():
        return None
    kind = parts[2] if parts[2] in SAMPLERS else "resnets"
    return (parts[0], int(parts[1]), kind, int(parts[3]))


def _unet_units(places: Iterable[UnitKey]) -> dict[UnitKey | None, str]:
    """Number the units of a UNet in the order of the forward pass; {} for other networks."""
    keys = set(places)
    if not any(stage in UNET_STAGES for stage, *_ in keys):
        return {}
    units: dict[UnitKey | None, str] = {
        ("conv_in", 0, "", 0): "IN00",
        ("mid_block", 0, "", 0): "MID",
    }
    # "downsamplers" sorts before "resnets": put samplers after the residual blocks of their block
    down = sorted((k for k in keys if k[0] == "down_blocks"), key=_forward_order)
    units |= {key: f"IN{number:02d}" for number, key in enumerate(down, 1)}
    number = -1
    for key in sorted((k for k in keys if k[0] == "up_blocks"), key=_forward_order):
        number += key[2] not in SAMPLERS
        units[key] = f"OUT{max(number, 0):02d}"
    return units


def _forward_order(key: UnitKey) -> tuple[int, bool, int]:
    _, block, kind, number = key
    return block, kind in SAMPLERS, number
