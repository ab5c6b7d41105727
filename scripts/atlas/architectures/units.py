"""
The units that merge-block-weight (MBW) tools count, and what lies outside them.

UNet: conv_in is IN00; then each resnet of a down block (with the attention of the same
index) and each downsampler is a unit; the middle is MID; each resnet of an up block (with
its attention) is a unit, an upsampler belongs to the last one of its block. Transformer:
the members of the top-level lists of blocks, refiners left out. Other modules: their first
level.
"""

from collections import Counter
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Unit:
    """One unit: its mark and the modules that belong to it."""

    mark: str
    """IN00..., MID, OUT00... of a UNet; <list>.<index> of a transformer; a child's name."""
    paths: tuple[str, ...]
    """Dotted paths of its modules, none within another."""

    def holds(self, path: str) -> bool:
        """Say whether a module or parameter of this dotted path belongs to the unit."""
        return any(path == own or path.startswith(own + ".") for own in self.paths)


def of(module: nn.Module) -> list[Unit]:
    """Return the units of a denoiser (or of any other component) in order of execution."""
    if is_unet(module):
        return [*_down(module), *_middle(module), *_up(module)]
    blocks = [
        Unit(f"{name}.{index}", (f"{name}.{index}",))
        for name, members in block_lists(module).items()
        for index in range(len(members))
    ]
    return blocks or [
        Unit(name, (name,)) for name, child in module.named_children() if _weighs(child)
    ]


def outside(module: nn.Module, units: list[Unit]) -> list[str]:
    """
    Return the paths of what is in no unit, the highest ones: children or lone parameters.

    >>> outside(unet, of(unet))  # doctest: +SKIP
    ['time_embedding', 'conv_norm_out', 'conv_out']
    """
    insides = [path for unit in units for path in unit.paths]
    lone = [
        path for path, _ in module.named_parameters() if not any(unit.holds(path) for unit in units)
    ]
    return list(dict.fromkeys(_highest(path, insides) for path in lone))


def _highest(path: str, insides: list[str]) -> str:
    """Return the shortest head of a path that no path of a unit lies within."""
    parts = path.split(".")
    heads = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return next(head for head in heads if not any(p.startswith(head + ".") for p in insides))


def mark_of(path: str, units: list[Unit]) -> str | None:
    """Return the mark of the unit that a module or parameter path is in; None if outside."""
    return next((unit.mark for unit in units if unit.holds(path)), None)


def parameters(module: nn.Module, units: list[Unit]) -> dict[str | None, int]:
    """
    Return parameters per mark, in order, and under None what is outside the units.

    They add up to the module's parameters: tied ones count where they appear first.
    """
    marks = {
        path: unit.mark
        for path, _ in module.named_parameters()
        for unit in units
        if unit.holds(path)
    }
    counts: Counter[str | None] = Counter(dict.fromkeys([*(unit.mark for unit in units), None], 0))
    for path, parameter in module.named_parameters():
        counts[marks.get(path)] += parameter.numel()
    return dict(counts)


def is_unet(module: nn.Module) -> bool:
    """Say whether a module has the down and up blocks of a UNet around a first convolution."""
    return all(hasattr(module, name) for name in ("conv_in", "down_blocks", "up_blocks"))


def block_lists(module: nn.Module) -> dict[str, nn.ModuleList]:
    """Return a transformer's top-level lists of blocks by name, refiners left out."""
    return {
        name: child
        for name, child in module.named_children()
        if isinstance(child, nn.ModuleList)
        and "refiner" not in name
        and len(child)
        and "Block" in type(child[0]).__name__
    }


def _down(unet: nn.Module) -> list[Unit]:
    groups: list[tuple[str, ...]] = [("conv_in",)]
    for path, block in unet.get_submodule("down_blocks").named_children():
        groups += _resnets(f"down_blocks.{path}", block)
        groups += [(sampler,) for sampler in _samplers(f"down_blocks.{path}", block)]
    return _marked("IN", groups)


def _middle(unet: nn.Module) -> list[Unit]:
    has_middle = getattr(unet, "mid_block", None) is not None
    return [Unit("MID", ("mid_block",))] if has_middle else []


def _up(unet: nn.Module) -> list[Unit]:
    groups: list[tuple[str, ...]] = []
    for path, block in unet.get_submodule("up_blocks").named_children():
        *first, last = _resnets(f"up_blocks.{path}", block)
        groups += [*first, last + _samplers(f"up_blocks.{path}", block)]
    return _marked("OUT", groups)


def _marked(prefix: str, groups: list[tuple[str, ...]]) -> list[Unit]:
    return [Unit(f"{prefix}{number:02d}", paths) for number, paths in enumerate(groups)]


def _resnets(path: str, block: nn.Module) -> list[tuple[str, ...]]:
    """Return, per resnet of a block, the paths of all its members of the same index."""
    if hasattr(block, "resnets_in"):
        return _kandinsky_resnets(path, block)
    lists = [name for name in ("resnets", "attentions") if len(getattr(block, name, ()) or ())]
    return [
        tuple(f"{path}.{name}.{index}" for name in lists)
        for index in range(len(block.get_submodule("resnets")))  # type: ignore[arg-type]
    ]


def _kandinsky_resnets(path: str, block: nn.Module) -> list[tuple[str, ...]]:
    """
    Return the paths per pair of resnets around one attention, as Kandinsky 3 has them.

    attentions.0 is the block's self-attention: run first in a down block, last in an up block.
    """
    count = len(block.get_submodule("resnets_in"))  # type: ignore[arg-type]
    groups = [
        (f"{path}.resnets_in.{i}", f"{path}.attentions.{i + 1}", f"{path}.resnets_out.{i}")
        for i in range(count)
    ]
    own = 0 if path.startswith("down_blocks") else count - 1
    alone = f"{path}.attentions.0"
    return [
        ((alone, *group) if own == 0 else (*group, alone)) if index == own else group
        for index, group in enumerate(groups)
    ]


def _samplers(path: str, block: nn.Module) -> tuple[str, ...]:
    return tuple(
        f"{path}.{name}.{index}"
        for name in ("downsamplers", "upsamplers")
        for index in range(len(getattr(block, name, None) or ()))
    )


def _weighs(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None
