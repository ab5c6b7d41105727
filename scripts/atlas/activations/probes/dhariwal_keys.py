"""An exact map of the keys of DhariwalUNet, of EDM and DMD2, to those of a `UNet2DModel`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from atlas.basis.errors import AtlasError
from atlas.basis.shipped import load

BLOCK = re.compile(r"(enc|dec)\.(\d+)x\2_(conv|down|block|in|up)(\d*)\.")
"""Start of a key within a block: half, side of its output, kind, number within its kind."""

TABLE = "label_embedding.weight"
"""Name of the classes' table, kept beside the UNet2DModel's own weights."""


@dataclass(frozen=True)
class Block:
    """A block of the network, and where its weights and its output are in a UNet2DModel."""

    key: str
    """EDM's, as in enc.64x64_block0."""
    name: str
    """The layer's short name."""
    resnet: str
    """Path of the module that holds its convolutions."""
    attention: str | None = None
    """Path of its attention, where it has one."""

    @property
    def module(self) -> str:
        """Path of the module whose output is the block's."""
        return self.attention or self.resnet


@dataclass(frozen=True)
class Structure:
    """What names and shapes tell of a network."""

    blocks: tuple[Block, ...]
    """In the order in which they are run."""
    side: int
    channels: tuple[int, ...]
    """Of each level, from the largest side."""
    has_attention: tuple[bool, ...]
    """Of each level's blocks."""
    depth: int
    """Blocks of a level's encoder."""
    image_channels: int
    classes: int
    """0 for a network without labels."""

    def config(self) -> dict[str, Any]:
        """
        Return the arguments of UNet2DModel, with the classes' table kept beside it.

        Its norms have one group each: `set_groups` gives them their own numbers.
        """
        down = ["AttnDownBlock2D" if it else "ResnetDownsampleBlock2D" for it in self.has_attention]
        up = ["AttnUpBlock2D" if it else "ResnetUpsampleBlock2D" for it in self.has_attention]
        return {
            **facts()["network"],
            "sample_size": self.side,
            "in_channels": self.image_channels,
            "out_channels": self.image_channels,
            "layers_per_block": self.depth,
            "block_out_channels": list(self.channels),
            "down_block_types": down,
            "up_block_types": up[::-1],
            "norm_num_groups": 1,
            "attn_norm_num_groups": 1,
            "class_embed_type": "identity" if self.classes else None,
        }


def facts() -> Any:
    """Return the rules of the map, config/probes/edm_imagenet.yaml."""
    return load("probes/edm_imagenet")


def bared(names: Mapping[str, Any]) -> dict[str, str]:
    """
    Return the network's keys without what stands before them, each with its name in the file.

    >>> bared({"feedforward_model.model.out_conv.bias": 0, "guidance_model.x": 0})
    {'out_conv.bias': 'feedforward_model.model.out_conv.bias'}
    """
    bare = {name: name for name in names}
    for prefix in facts()["prefixes"]:
        within = {k.removeprefix(prefix): name for k, name in bare.items() if k.startswith(prefix)}
        bare = within or bare
    return bare


def is_such(keys: Mapping[str, Any]) -> bool:
    """Tell whether bared keys are those of a DhariwalUNet, or of its relative SongUNet."""
    return "map_layer0.weight" in keys and any(
        key.startswith("enc.") and BLOCK.match(key) for key in keys
    )


def check_kind(keys: Mapping[str, Any], origin: str) -> None:
    """Raise AtlasError where the keys are those of SongUNet, EDM's other network."""
    for other in facts()["others"]:
        if found := next((key for key in keys if re.match(other["key"], key)), None):
            raise AtlasError(
                f"{origin}: is a SongUNet ({other['network']}, as its {found} tells), which no "
                "probe runs; the probe edm_imagenet is for the DhariwalUNet of ImageNet 64 x 64"
            )


def structure(shapes: Mapping[str, tuple[int, ...]], origin: str) -> Structure:
    """
    Return what bared keys and their shapes tell of a network.

    Raises
    ------
    AtlasError
        They are another network's, or a part is missing that tells the structure.
    """
    check_kind(shapes, origin)
    found = {match[0]: match for key in shapes if (match := BLOCK.match(key))}
    sides = sorted({int(match[2]) for match in found.values()}, reverse=True)
    if not sides or sides != [sides[0] >> level for level in range(len(sides))]:
        raise AtlasError(
            f"{origin}: its sides {sides} are not halved level by level: keys are missing"
        )
    firsts = [f"enc.{side}x{side}_block0" for side in sides]
    channels = tuple(_shape(shapes, f"{first}.conv0.weight", origin)[0] for first in firsts)
    depth = sum(f"enc.{sides[0]}x{sides[0]}_block" in start for start in found)
    label = facts()["label"]
    made = Structure(
        blocks=tuple(_blocks(sides, depth, shapes)),
        side=sides[0],
        channels=channels,
        has_attention=tuple(f"{first}.qkv.weight" in shapes for first in firsts),
        depth=depth,
        image_channels=_shape(shapes, f"enc.{sides[0]}x{sides[0]}_conv.weight", origin)[1],
        classes=_shape(shapes, label, origin)[1] if label in shapes else 0,
    )
    _check_heads(made, origin)
    _check_filters(shapes, origin)
    return made


def converted(
    weights: Mapping[str, torch.Tensor], network: Structure, origin: str
) -> dict[str, torch.Tensor]:
    """
    Return weights of bared keys under the names of a UNet2DModel, as views where that serves.

    Raises
    ------
    AtlasError
        A key has no place in the network.
    """
    modules = _modules(network)
    done: dict[str, torch.Tensor] = {}
    surplus = []
    for key, weight in weights.items():
        module, _, kind = key.rpartition(".")
        if kind in facts()["dropped"]:
            continue
        if key == facts()["label"]:
            done[TABLE] = weight.T
        elif module not in modules:
            surplus.append(key)
        elif isinstance(names := modules[module], str):
            is_matrix = names.endswith(facts()["attention"]["proj"]) and kind == "weight"
            done[f"{names}.{kind}"] = weight.flatten(1) if is_matrix else weight
        else:
            done |= {f"{name}.{kind}": part for name, part in _parts(names, weight).items()}
    if surplus:
        raise AtlasError(
            f"{origin}: {len(surplus)} of its keys have no place in a DhariwalUNet of "
            f"{len(network.channels)} levels and {network.depth} blocks ({surplus[0]}, …): this is "
            "another network"
        )
    return done


def set_groups(network: torch.nn.Module, origin: str) -> None:
    """
    Give each norm EDM's number of groups: min(32, channels / 4).

    UNet2DModel has one number for all, which is EDM's only where all layers have 128 channels or
    more; in narrower networks it would give other values without a word.

    Raises
    ------
    AtlasError
        A layer's channels can't be cut into so many groups.
    """
    groups = facts()["groups"]
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            channels = module.num_channels
            count = min(groups["most"], channels // groups["least_channels"])
            if not count or channels % count:
                raise AtlasError(
                    f"{origin}: {channels} channels can't be cut into the {count} groups of EDM's "
                    "norms: this is another network"
                )
            module.num_groups = count


_Place = tuple[int, int, str, str]
"""Of a block: level in its half, side, kind, number within its kind."""


def _blocks(sides: list[int], depth: int, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[Block]:
    """Yield all blocks of a regular network of so many levels, in the order of a forward."""
    places = {"enc": _encoder(sides, depth), "dec": _decoder(sides[::-1], depth)}
    for half, keys in places.items():
        rules, names = facts()["blocks"][half], facts()["names"][half]
        ends = {0: names.get("first"), len(keys) - 1: names.get("last")}
        for number, (level, side, kind, index) in enumerate(keys):
            key = f"{half}.{side}x{side}_{kind}{index}"
            values = {"level": level, "before": level - 1, "index": index}
            paths = {part: path.format(**values) for part, path in rules[kind].items()}
            name = ends.get(number) or names["block"].format(number=number)
            has_attention = f"{key}.qkv.weight" in shapes
            attention = paths.get("attention") if has_attention else None
            yield Block(key, name, paths["resnet"], attention)


def _encoder(sides: list[int], depth: int) -> list[_Place]:
    places: list[_Place] = []
    for level, side in enumerate(sides):
        places.append((level, side, "down" if level else "conv", ""))
        places += [(level, side, "block", str(index)) for index in range(depth)]
    return places


def _decoder(sides: list[int], depth: int) -> list[_Place]:
    places: list[_Place] = []
    for level, side in enumerate(sides):
        places += [(level, side, "up", "")] if level else [(0, side, "in", i) for i in "01"]
        places += [(level, side, "block", str(index)) for index in range(depth + 1)]
    return places


def _modules(network: Structure) -> dict[str, str | tuple[str, ...]]:
    """Return diffusers' module, or the three that one is cut into, for each of EDM's."""
    rules = facts()
    modules: dict[str, str | tuple[str, ...]] = dict(rules["outside"])
    for block in network.blocks:
        if block.resnet == "conv_in":
            modules[block.key] = block.resnet
            continue
        modules |= {f"{block.key}.{a}": f"{block.resnet}.{b}" for a, b in rules["resnet"].items()}
        if block.attention is None:
            continue
        for theirs, ours in rules["attention"].items():
            modules[f"{block.key}.{theirs}"] = f"{block.attention}.{ours}"
        for theirs, parts in rules["fused"].items():
            modules[f"{block.key}.{theirs}"] = tuple(f"{block.attention}.{p}" for p in parts)
    return modules


def _parts(names: tuple[str, ...], weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Cut interleaved rows: the first name gets rows 0, 3, 6 and so on."""
    rows = weight.flatten(1) if weight.ndim > 1 else weight
    return {name: rows[first :: len(names)] for first, name in enumerate(names)}


def _shape(shapes: Mapping[str, tuple[int, ...]], key: str, origin: str) -> tuple[int, ...]:
    if len(shapes.get(key, ())) < 2:
        raise AtlasError(
            f"{origin}: has no {key} of a DhariwalUNet, which tells its structure; give the whole "
            "state dict"
        )
    return shapes[key]


def _check_heads(network: Structure, origin: str) -> None:
    head = facts()["network"]["attention_head_dim"]
    for channels, has_attention in zip(network.channels, network.has_attention, strict=True):
        if has_attention and channels % head:
            raise AtlasError(
                f"{origin}: attention over {channels} channels, which are no multiple of {head}: "
                "heads of another width, which nothing in the file tells"
            )


def _check_filters(shapes: Mapping[str, tuple[int, ...]], origin: str) -> None:
    for key, shape in shapes.items():
        expected = facts()["dropped"].get(key.rpartition(".")[2])
        if expected and list(shape) != expected:
            raise AtlasError(
                f"{origin}: halves or doubles images by a filter of {list(shape)} ({key}), not of "
                f"{expected} as a DhariwalUNet: this is another network"
            )
