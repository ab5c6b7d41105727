"""What each tensor does in its network, by its canonical name."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from atlas.basis.shipped import load

ROLES = (
    "self_attention",
    "cross_attention",
    "feed_forward",
    "norm",
    "projection",
    "embedding",
    "convolution",
    "other",
)
JOINT = re.compile(r"\.attn\.(add_q_proj|to_q)\b")
"""Attention over image and text together, where a second attention is no cross-attention."""


def roles_of(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Return the role of each tensor of one component, by its name without the component."""
    joint = any(JOINT.search(name) for name in shapes)
    return {name: _role(name, len(shape), joint) for name, shape in shapes.items()}


def _role(name: str, dimensions: int, joint: bool) -> str:
    for role, pattern in _patterns(joint):
        if pattern.search(name):
            return role
    # only convolutions have kernels of one dimension or more
    return "convolution" if dimensions > 2 and name.endswith("weight") else "other"


@cache
def _patterns(joint: bool) -> list[tuple[str, re.Pattern[str]]]:
    rules: Iterable[Mapping[str, str]] = load("names/roles")["roles"]
    return [
        (rule["role"], re.compile(rule["pattern"]))
        for rule in rules
        if joint or not rule.get("joint")
    ]
