"""From what a PyTorch file describes to its tensors: nested dicts, trainers' extras, views."""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from atlas.basis.errors import AtlasError
from atlas.checkpoint.pickle_names import Module, StoredTensor
from atlas.checkpoint.torch_files import TorchFile
from atlas.tensors.entries import Entry, Listing, fault_of_key, is_count, item_bytes
from atlas.tensors.tensors import Part

HOLDERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "params",
    "params_ema",
    "module",
    "net",
    "network",
    "generator",
    "weights",
)
"""Keys under which trainers keep the weights, in order of preference."""

AVERAGES = re.compile(r"(^|_)ema(_|$)")
"""Keys of averaged weights beside the raw ones."""

PROGRESS = ("global_step", "epoch", "pytorch-lightning_version")
"""What PyTorch Lightning keeps beside the weights: how far training had come, by which version."""

TELLING = "string_to_param"
"""The holder of a textual inversion's tensors: it alone tells what they are."""

EXTRAS = re.compile(r"(optim|scheduler|scaler|loss|callbacks|hyper_parameters|rng|config|args)")
"""Keys of what a trainer needs to go on; never weights of the model."""

TABLES = (dict, list, tuple, Module)
"""Kinds of values that may hold tensors."""

DEEPEST = 32
"""Levels of dicts and modules that are searched."""

FREELY = 2**24
TIMES = 64
"""Bytes that a file's tensors may have in all: so many times the file's own, and some freely.

Tied weights are listed several times, and a stride of 0 repeats an element; without a bound, a file
of a kilobyte lists as much as takes days to read.
"""


@dataclass
class Found:
    """Tensors by dotted name, and what was seen beside them."""

    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def listing_of(file: Path, read: TorchFile) -> Listing:
    """
    Return the tensors of a PyTorch file as places in it.

    Raises
    ------
    AtlasError
        Where one reaches beyond its storage, or they are far more than the file holds.
    """
    try:
        found = _unwrapped(read.value, _tables_with_tensors(read.value))
    except ValueError as error:
        raise AtlasError(f"{file}: {error}: no weights are named so") from None
    entries = tuple(
        Entry(key, tensor.dtype, _part(file, key, tensor, read.places))
        for key, tensor in found.tensors.items()
    )
    listed = sum(prod(entry.shape) * item_bytes(entry.dtype) for entry in entries)
    held = file.stat().st_size
    if listed > FREELY + TIMES * held:
        raise AtlasError(
            f"{file}: lists {listed} bytes of tensors and holds {held}: the same elements over "
            "and over, as no weights are. If you trust it, load it and save it as safetensors"
        )
    return Listing(entries, _progress(read.value), findings=tuple(found.findings))


def _progress(value: Any) -> dict[str, str]:
    """Return what a trainer notes of its progress: plain numbers and texts beside the weights."""
    table = value if isinstance(value, dict) else {}
    told = {key: table[key] for key in PROGRESS if key in table}
    return {key: str(each) for key, each in told.items() if isinstance(each, str) or is_count(each)}


def _unwrapped(
    value: Any, holding: Set[int], seen: frozenset[int] = frozenset(), *, averaged: bool = False
) -> Found:
    """
    Find the state dict within what a trainer saved.

    Parameters
    ----------
    holding
        As `_tables_with_tensors` returns them.
    averaged
        Whether averages are what is looked at, or were found further out: there are no others.
    """
    if _is_tensor(value):
        return Found({"tensor": value})
    if isinstance(value, Module):  # TorchScript: a network as a whole
        return Found(dict(_flattened(value.state)))
    table = _table(value)
    if id(value) in seen or len(seen) > DEEPEST:
        return Found()
    if any(_is_tensor(item) and prod(item.shape) > 1 for item in table.values()):
        weights = {k: v for k, v in table.items() if _is_tensor(v) or not _is_extra(k)}
        return Found(dict(_flattened(weights)))
    inner = {
        key: item
        for key, item in table.items()
        if (_is_tensor(item) or id(item) in holding) and not _is_extra(key)
    }
    averages = {key: item for key, item in inner.items() if AVERAGES.search(str(key))}
    raw = {key: item for key, item in inner.items() if key not in averages} or averages
    holder = next((key for key in (*HOLDERS, *raw) if isinstance(raw.get(key), TABLES)), None)
    if holder in (None, TELLING) or (holder not in HOLDERS and len(raw) > 1):
        return Found(dict(_flattened(raw)))
    has_both = bool(averages) and raw is not averages and not averaged
    within = seen | {id(value)}
    found = _unwrapped(raw[holder], holding, within, averaged=averaged or has_both)
    if has_both:
        key, others = next(iter(averages.items()))
        _add_averages(found, key, _unwrapped(others, holding, within, averaged=True))
    return found


def _add_averages(found: Found, key: Any, averaged: Found) -> None:
    """Keep averaged weights beside the raw ones, under the prefix that LDM gives them."""
    found.tensors |= {f"model_ema.{name}": tensor for name, tensor in averaged.tensors.items()}
    found.findings.append(f"averaged weights stand beside the raw ones, under {key}")


def _table(value: Any) -> dict[Any, Any]:
    if isinstance(value, Module):
        return value.state
    if isinstance(value, list | tuple):
        return {str(index): item for index, item in enumerate(value[:1000])}
    return value if isinstance(value, dict) else {}


def _flattened(table: dict[Any, Any]) -> Iterator[tuple[str, StoredTensor]]:
    """Yield tensors by the dotted path to them; each table is entered once."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any, int]] = [("", table, 0)]
    while waiting:
        prefix, current, depth = waiting.pop()
        if id(current) in seen or depth > DEEPEST:
            continue
        seen.add(id(current))
        for key, item in _table(current).items():
            name = f"{prefix}{key}"
            if fault := fault_of_key(name):
                raise ValueError(fault)
            if isinstance(item, StoredTensor):
                yield name, item
            elif isinstance(item, TABLES):
                waiting.append((f"{name}.", item, depth + 1))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, StoredTensor)


def _is_extra(key: Any) -> bool:
    return bool(EXTRAS.search(str(key)))


def _tables_with_tensors(value: Any) -> set[int]:
    """Return the ids of the tables that hold a tensor, themselves or in one within them."""
    holders: dict[int, list[int]] = {id(value): []}
    holding: list[int] = []
    waiting = [value]
    while waiting:
        current = waiting.pop()
        for item in _table(current).values():
            if _is_tensor(item):
                holding.append(id(current))
            elif isinstance(item, TABLES):
                if id(item) not in holders:
                    holders[id(item)] = []
                    waiting.append(item)
                holders[id(item)].append(id(current))
    found: set[int] = set()
    while holding:
        if (table := holding.pop()) not in found:
            found.add(table)
            holding += holders[table]
    return found


def _part(file: Path, key: str, tensor: StoredTensor, places: dict[str, tuple[int, int]]) -> Part:
    storage = tensor.storage
    start, length = places.get(storage.key, (0, 0))
    size = item_bytes(tensor.dtype)
    first = (storage.offset + tensor.offset) * size
    steps = zip(tensor.shape, tensor.strides, strict=True)
    reach = (sum((n - 1) * step for n, step in steps) + 1) * size if prod(tensor.shape) else 0
    if first + reach > length:
        raise AtlasError(
            f"{file}: {key!r} reaches beyond its storage ({first + reach} of {length} bytes); "
            "download or save the file again"
        )
    contiguous = tuple(prod(tensor.shape[axis + 1 :]) for axis in range(len(tensor.shape)))
    # the stride of a dimension of size one is never used
    matters = [n > 1 for n in tensor.shape]
    plain = all(
        a == b or not used for a, b, used in zip(tensor.strides, contiguous, matters, strict=True)
    )
    return Part(file, start + first, tensor.shape, None if plain else tensor.strides)
