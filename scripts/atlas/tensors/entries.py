"""What a file's own directory says: keys and places, before names are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from atlas.tensors.tensors import ITEM_BYTES, Part

COMPLEX_BYTES = {"c64": 8, "c128": 16}
"""Complex numbers are left out: in networks they are tables of rotations, not weights."""

MOST_DIMENSIONS = 32
"""Of a tensor; networks have five at most."""

LONGEST_KEY = 4096
"""Characters of a tensor's name; networks have about a hundred."""


def is_count(value: Any) -> bool:
    """Tell whether a value from a file is a whole number that 63 bits hold, and not negative."""
    return type(value) is int and 0 <= value < 2**63


def are_counts(values: Any) -> bool:
    """Tell whether a value from a file can be a shape, or the strides of one."""
    is_short = isinstance(values, tuple | list) and len(values) <= MOST_DIMENSIONS
    return is_short and all(map(is_count, values))


def fault_of_key(key: str) -> str | None:
    r"""
    Return what is wrong with a tensor's name, or None.

    >>> fault_of_key("\ud800")
    'a name with characters that are no text'
    """
    if len(key) > LONGEST_KEY:
        return f"a name of {len(key)} characters"
    try:
        key.encode()
    except UnicodeEncodeError:  # lone surrogates, which no other file can hold
        return "a name with characters that are no text"
    return None


def item_bytes(dtype: str | None) -> int:
    """Return bytes per element; an untyped storage counts bytes."""
    return 1 if dtype is None else COMPLEX_BYTES.get(dtype) or ITEM_BYTES[dtype]


@dataclass(frozen=True)
class Entry:
    """One tensor as the file has it."""

    key: str
    dtype: str
    """One of tensors.ITEM_BYTES."""
    part: Part
    component: str | None = None
    """Known where the file says it: the component's folder of a diffusers folder."""
    is_aside: bool = False
    """Told by its values to be no weight."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in the file."""
        return self.part.shape


@dataclass(frozen=True)
class Listing:
    """Everything one checkpoint's files list, and what was noticed while reading the lists."""

    entries: tuple[Entry, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Keys of tensors that are there and not read."""


def without_complex(listing: Listing) -> Listing:
    """Leave complex tensors out and say so."""
    left_out = [entry for entry in listing.entries if entry.dtype in COMPLEX_BYTES]
    if not left_out:
        return listing
    kept = tuple(entry for entry in listing.entries if entry.dtype not in COMPLEX_BYTES)
    finding = (
        f"{len(left_out)} tensors of complex numbers are left out: "
        f"{', '.join(entry.key for entry in left_out[:3])}"
    )
    return replace(
        listing,
        entries=kept,
        findings=(*listing.findings, finding),
        left_out=(*listing.left_out, *(entry.key for entry in left_out)),
    )
