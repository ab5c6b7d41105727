"""
EDM's network of ImageNet 64 × 64 in plain operators, with random weights under its keys.

Written from the equations: the ADM network (Dhariwal & Nichol 2021,
https://arxiv.org/abs/2105.05233, section 3 and appendix), with the group norms, the order of query,
key and value, and the preconditioning of EDM (Karras et al. 2022, https://arxiv.org/abs/2206.00364,
appendix C and table 1). The atlas's own probe is held against it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Plan:
    """Sizes of a network."""

    side: int
    channels: tuple[int, ...]
    attended: tuple[int, ...]
    """Sides with attention."""
    depth: int
    classes: int
    image_channels: int = 3

    @property
    def sides(self) -> list[int]:
        """Of each level, from the largest."""
        return [self.side >> level for level in range(len(self.channels))]


FULL = Plan(64, (192, 384, 576, 768), (32, 16, 8), depth=3, classes=1000)
NARROW = Plan(16, (32, 64), (8,), depth=1, classes=5)
"""Its layers have 8, 16, 24 and 32 groups."""
WIDE = Plan(16, (128, 192), (8,), depth=2, classes=7)
"""All of its layers have 32 groups, as those of the full size."""


def blocks(plan: Plan) -> Iterator[tuple[str, int, int]]:
    """Yield key, channels in and channels out of each block but the first convolution."""
    width = plan.channels[0]
    kept = [width]
    for level, (side, wide) in enumerate(zip(plan.sides, plan.channels, strict=True)):
        if level:
            yield f"enc.{side}x{side}_down", width, width
            kept.append(width)
        for index in range(plan.depth):
            yield f"enc.{side}x{side}_block{index}", width, wide
            width = wide
            kept.append(width)
    for level, side in reversed(list(enumerate(plan.sides))):
        if level == len(plan.sides) - 1:
            yield f"dec.{side}x{side}_in0", width, width
            yield f"dec.{side}x{side}_in1", width, width
        else:
            yield f"dec.{side}x{side}_up", width, width
        for index in range(plan.depth + 1):
            yield f"dec.{side}x{side}_block{index}", width + kept.pop(), plan.channels[level]
            width = plan.channels[level]


def shapes(plan: Plan) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a network's weights and buffers by EDM's keys."""
    base, width = plan.channels[0], 4 * plan.channels[0]
    found: dict[str, tuple[int, ...]] = {}

    def add(key: str, *shape: int) -> None:
        found[f"{key}.weight"] = shape
        found[f"{key}.bias"] = shape[:1]

    add("map_layer0", width, base)
    add("map_layer1", width, width)
    found["map_label.weight"] = (width, plan.classes)
    add(f"enc.{plan.side}x{plan.side}_conv", base, plan.image_channels, 3, 3)
    for key, entering, leaving in blocks(plan):
        add(f"{key}.norm0", entering)
        add(f"{key}.conv0", leaving, entering, 3, 3)
        add(f"{key}.affine", 2 * leaving, width)
        add(f"{key}.norm1", leaving)
        add(f"{key}.conv1", leaving, leaving, 3, 3)
        if entering != leaving:
            add(f"{key}.skip", leaving, entering, 1, 1)
        if key.endswith(("down", "up")):
            found[f"{key}.conv0.resample_filter"] = (1, 1, 2, 2)
            found[f"{key}.skip.resample_filter"] = (1, 1, 2, 2)
        elif int(key.split("x")[1].split("_")[0]) in plan.attended and not key.endswith("in1"):
            add(f"{key}.norm2", leaving)
            add(f"{key}.qkv", 3 * leaving, leaving, 1, 1)
            add(f"{key}.proj", leaving, leaving, 1, 1)
    add("out_norm", base)
    add("out_conv", plan.image_channels, base, 3, 3)
    return found


def weights(plan: Plan, seed: int = 0) -> Weights:
    """Return random float32 weights, none of them zero."""
    generator = torch.Generator().manual_seed(seed)
    made = {}
    for key, shape in shapes(plan).items():
        if key.endswith("resample_filter"):
            made[key] = torch.full(shape, 0.25)
            continue
        value = torch.randn(shape, generator=generator)
        is_gain = ".norm" in key or key.startswith("out_norm")
        if key.endswith("bias"):
            made[key] = value.mul_(0.1)
        elif is_gain:
            made[key] = value.mul_(0.2).add_(1)
        else:
            made[key] = value.div_(math.sqrt(math.prod(shape[1:])))
    return made


def written(file: Path, plan: Plan, prefix: str = "model.", **others: torch.Tensor) -> Weights:
    """Write random weights as a state dict, with a prefix and other tensors, and return them."""
    made = weights(plan)
    torch.save({f"{prefix}{key}": value for key, value in made.items()} | others, file)
    return made


def denoised(
    w: Weights, noisy: torch.Tensor, sigma: float, shares: torch.Tensor
) -> tuple[torch.Tensor, Weights]:
    """
    Return D(x; σ), and each block's output by EDM's key.

    Parameters
    ----------
    noisy
        (samples, channels, side, side).
    shares
        Each class's share, (samples, classes); zeros for no label.
    """
    total = math.sqrt(sigma**2 + 0.25)
    skip, out = 0.25 / (sigma**2 + 0.25), sigma * 0.5 / total
    change, outputs = forward(w, noisy / total, math.log(sigma) / 4, shares)
    return skip * noisy + out * change, outputs


def forward(
    w: Weights, x: torch.Tensor, time: float, shares: torch.Tensor
) -> tuple[torch.Tensor, Weights]:
    """Return the network's output and each block's."""
    half = w["map_layer0.weight"].shape[1] // 2
    angles = time * 10000 ** (-torch.arange(half) / half)
    embedded = torch.cat([angles.cos(), angles.sin()])[None]
    embedded = functional.silu(linear(w, "map_layer0", embedded))
    embedded = linear(w, "map_layer1", embedded)
    embedded = functional.silu(embedded + shares @ w["map_label.weight"].T)
    outputs: Weights = {}
    kept = []
    for key in order(w):
        if key.startswith("dec") and "_block" in key:
            x = torch.cat([x, kept.pop()], 1)
        x = convolved(w, key, x) if key.endswith("conv") else block(w, key, x, embedded)
        outputs[key] = x
        if key.startswith("enc"):
            kept.append(x)
    return convolved(w, "out_conv", functional.silu(normed(w, "out_norm", x))), outputs


def order(w: Weights) -> list[str]:
    """Return the blocks' keys as the state dict has them: in the order of the forward."""
    return list(dict.fromkeys(".".join(k.split(".")[:2]) for k in w if k[:4] in ("enc.", "dec.")))


def block(w: Weights, key: str, x: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
    """Return a residual block's output: adaptive norm, attention where it has one."""

    def resized(image: torch.Tensor) -> torch.Tensor:
        if key.endswith("down"):
            return (image[..., ::2] + image[..., 1::2]).unflatten(2, (-1, 2)).sum(3) / 4
        return (
            image.repeat_interleave(2, 2).repeat_interleave(2, 3) if key.endswith("up") else image
        )

    inner = convolved(w, f"{key}.conv0", resized(functional.silu(normed(w, f"{key}.norm0", x))))
    scale, shift = linear(w, f"{key}.affine", embedded)[:, :, None, None].chunk(2, 1)
    inner = functional.silu(normed(w, f"{key}.norm1", inner) * (1 + scale) + shift)
    x = convolved(w, f"{key}.skip", x) if f"{key}.skip.weight" in w else resized(x)
    x = x + convolved(w, f"{key}.conv1", inner)
    if f"{key}.qkv.weight" not in w:
        return x
    rows = convolved(w, f"{key}.qkv", normed(w, f"{key}.norm2", x)).flatten(2)
    # head, channel of the head, one of query, key and value: in this order
    query, key_, value = rows.unflatten(1, (-1, 64, 3)).unbind(3)
    shares = torch.einsum("nhcq,nhck->nhqk", query, key_ / 8).softmax(-1)
    mixed = torch.einsum("nhqk,nhck->nhcq", shares, value).flatten(1, 2)
    return x + convolved(w, f"{key}.proj", mixed.unflatten(2, x.shape[2:]))


def convolved(w: Weights, key: str, x: torch.Tensor) -> torch.Tensor:
    """Return a convolution that keeps the size."""
    weight = w[f"{key}.weight"]
    return functional.conv2d(x, weight, w[f"{key}.bias"], padding=weight.shape[-1] // 2)


def linear(w: Weights, key: str, x: torch.Tensor) -> torch.Tensor:
    """Return a linear layer's output."""
    return x @ w[f"{key}.weight"].T + w[f"{key}.bias"]


def normed(w: Weights, key: str, x: torch.Tensor) -> torch.Tensor:
    """Return a group norm of min(32, channels / 4) groups."""
    groups = x.reshape(len(x), min(32, x.shape[1] // 4), -1)
    variance, mean = torch.var_mean(groups, 2, keepdim=True, unbiased=False)
    flat = ((groups - mean) / (variance + 1e-5).sqrt()).reshape(x.shape)
    return flat * w[f"{key}.weight"][:, None, None] + w[f"{key}.bias"][:, None, None]
