"""What a file's own directory says: keys and places, before names are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from atlas.tensors.tensors import ITEM_BYTES, Part

COMPLEX_BYTES = {"c64": 8, "c128": 16}
"""Complex numbers are left out: in networks they are tables of rotations, not weights."""


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
    return Listing(kept, listing.metadata, (*listing.findings, finding))
