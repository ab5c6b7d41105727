"""Cut a file's keys into components: prefixes, and what was wrapped around the names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from atlas.basis.shipped import load


@dataclass(frozen=True)
class Section:
    """Keys that one component's prefix unites."""

    prefix: str
    """As in the file, without its last dot; empty for keys without a prefix."""
    part: str | None
    """denoiser, vae, text_encoder or ema; None where there is no prefix."""
    component: str | None
    """Where the prefix or the folder says it."""
    keys: Mapping[str, str]
    """Key in the file to key within the component."""
    unused: tuple[str, ...] = ()
    """Modules that the network never uses and diffusers leaves out."""


def unwrapped(names: Mapping[str, str]) -> dict[str, str]:
    """Strip from the names of keys what torch.compile, DDP and the like put before their parts."""
    wrappers = [f"{wrapper}." for wrapper in load("names/prefixes")["wrappers"]]
    names = dict(names)
    for wrapper in wrappers:
        # `module` is a fair name within a network: it wraps only what it stands before everywhere
        if wrapper == "_orig_mod." or all(name.startswith(wrapper) for name in names.values()):
            names = {key: _without(name, wrapper) for key, name in names.items()}
    return dict(names)


def _without(name: str, wrapper: str) -> str:
    name = name.removeprefix(wrapper)
    return name.replace(f".{wrapper}", ".") if wrapper == "_orig_mod." else name


def cut(names: Mapping[str, str]) -> list[Section]:
    """Cut keys (in the file: unwrapped) by the prefixes of components; the rest comes last."""
    groups: dict[str, dict[str, str]] = {}
    for key, name in names.items():
        prefix = _prefix(name)
        groups.setdefault(prefix, {})[key] = name[len(prefix) + 1 :] if prefix else name
    numbers = _encoder_numbers(groups)
    sections = [
        _section(prefix, keys, numbers) for prefix, keys in sorted(groups.items()) if prefix
    ]
    return [*sections, Section("", None, None, groups.get("", {}))]


def held(names: Mapping[str, str]) -> dict[str, str]:
    """Strip the name of the attribute that holds a network, where all keys begin with it."""
    for holder in load("names/prefixes")["holders"]:
        if names and all(name.startswith(f"{holder}.") for name in names.values()):
            return {key: name.removeprefix(f"{holder}.") for key, name in names.items()}
    return dict(names)


def bared(names: Mapping[str, str]) -> dict[str, str]:
    """
    Strip the modules that all names of a network share: what holds it is no part of it.

    A list of blocks is a part, and so is the last module above the tensors; what is known to hold
    networks never is one.

    >>> bared({"1": "a.net.blocks.0.q.bias", "2": "a.net.scale"})
    {'1': 'blocks.0.q.bias', '2': 'scale'}
    >>> bared({"1": "net.blocks.0.q.bias", "2": "net.blocks.1.q.bias"}), bared({"1": "fc.bias"})
    ({'1': 'blocks.0.q.bias', '2': 'blocks.1.q.bias'}, {'1': 'fc.bias'})
    """
    split = {key: name.split(".") for key, name in names.items()}
    depth = 0
    while _is_holder(list(split.values()), depth):
        depth += 1
    return {key: ".".join(parts[depth:]) for key, parts in split.items()}


def _is_holder(names: Sequence[Sequence[str]], depth: int) -> bool:
    """Tell whether all names have one module at this depth, that is neither a list nor the last."""
    if not names or any(len(parts) < depth + 2 for parts in names):
        return False
    first = {parts[depth] for parts in names}
    if len(first) > 1:
        return False
    inside = {parts[depth + 1] for parts in names}
    is_list = any(part.isdigit() for part in first | inside)
    is_last = all(len(parts) == depth + 2 for parts in names)
    return first <= _holders() or not (is_list or is_last)


@cache
def _holders() -> frozenset[str]:
    """Return the modules that stand before networks, one by one."""
    facts = load("names/prefixes")
    known = (*facts["wrappers"], *facts["holders"], *facts["prefixes"])
    return frozenset(part for holder in known for part in holder.split(".") if not part.isdigit())


@cache
def _prefixes() -> Mapping[str, Mapping[str, Any]]:
    prefixes: Mapping[str, Mapping[str, Any]] = load("names/prefixes")["prefixes"]
    return prefixes


def _prefix(name: str) -> str:
    """Return the longest known prefix of a key."""
    parts = name.split(".", 4)
    encoders = load("names/prefixes")["encoders"]
    if parts[0] == encoders["prefix"] and len(parts) > 3 and parts[2] == encoders["inner"]:
        return ".".join(parts[:3])
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in _prefixes():
            return prefix
    return ""


def _section(prefix: str, keys: Mapping[str, str], numbers: Mapping[str, str]) -> Section:
    if prefix in numbers:
        return Section(prefix, "text_encoder", numbers[prefix], keys)
    facts = _prefixes()[prefix]
    return Section(
        prefix, facts["part"], facts.get("component"), keys, tuple(facts.get("unused", ()))
    )


def _encoder_numbers(prefixes: Iterable[str]) -> dict[str, str]:
    """Number ComfyUI's text encoders as diffusers does: text_encoder, text_encoder_2, ..."""
    encoders = load("names/prefixes")["encoders"]
    order: list[str] = encoders["order"]
    found = [prefix for prefix in prefixes if prefix.startswith(f"{encoders['prefix']}.")]

    def rank(prefix: str) -> tuple[int, str]:
        name = prefix.split(".")[1]
        return (order.index(name) if name in order else len(order)), name

    components = ["text_encoder", *(f"text_encoder_{n}" for n in range(2, len(found) + 1))]
    return dict(zip(sorted(found, key=rank), components, strict=False))
