"""Components whose tensors are no weights: codes of a quantisation in their place."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import prod

from atlas.basis.shipped import load
from atlas.names.components import OTHER
from atlas.names.views import Shape
from atlas.tensors.tensors import FLOATING, ITEM_BYTES, Unread

REMEDY = "use the model's file before quantisation"

COUNTERS = re.compile(r"(^|\.)(position_ids|num_batches_tracked)$")
"""Buffers that hold counters wherever they stand."""

WEIGHT = re.compile(r"(^|\.)weight$")
"""What a module calls its weights: never a counter, a mask or a table of indices."""

FEWEST = 100
"""Integers that a component may hold whatever their share: counters and small tables of indices."""

NARROW_SHARE, SHARE = 0.1, 0.5
"""Share of a component's elements or bytes from which its integers are codes: of those of up to 32
bits, and of all, for tables of indices have 64."""


@dataclass(frozen=True)
class Scheme:
    """A way in which weights are stored as codes."""

    what: str
    marks: re.Pattern[str] | None
    """Of keys that alone tell the scheme."""
    beside: tuple[str, ...]
    """Last parts of keys that all stand beside an integer weight."""
    float8: tuple[str, ...]
    """Last parts of keys of which one stands beside a float8 weight."""


@dataclass(frozen=True)
class Held:
    """A tensor of a component, as its file has it."""

    key: str
    dtype: str
    shape: Shape

    @property
    def is_integer(self) -> bool:
        """Whether its elements are whole numbers that may be codes: no counters, no masks."""
        if self.dtype in FLOATING or self.dtype == "bool" or COUNTERS.search(self.key):
            return False
        return self.key not in load("names/prefixes")["schedules"]

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.numel * ITEM_BYTES[self.dtype]


def owners(owner: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """
    Return the component of each key; a key of none belongs where the keys nearest to it do.

    A mark of a scheme often stands alone, as `text_encoders.t5xxl.scaled_fp8` before the encoder's
    own keys. One that has no part of its path in common with any component stays with `other`.

    Parameters
    ----------
    owner
        Component by identity of the key; OTHER where nothing is known.
    keys
        The key in its file, by its identity.
    """
    stems: dict[str, str] = {}
    for identity, component in owner.items():
        if component != OTHER:
            for stem in _stems(keys[identity]):
                stems.setdefault(stem, component)
    return {
        identity: component
        if component != OTHER
        else next((stems[stem] for stem in _stems(keys[identity]) if stem in stems), OTHER)
        for identity, component in owner.items()
    }


def _stems(key: str) -> Iterable[str]:
    """Yield the modules that a key stands in, the innermost first."""
    while "." in key:
        key = key.rpartition(".")[0]
        yield key


def refusal(tensors: Sequence[Held], homeless: Sequence[Held] = ()) -> Unread | None:
    """
    Return why a component's tensors are no weights, with the remedy; None where they are.

    `homeless` are tensors of no component: a mark among them is one of every component.
    """
    told = [tensor.key for tensor in (*tensors, *homeless)]
    own = {tensor.key for tensor in tensors}
    stems = [
        tensor.key.removesuffix("weight")
        for tensor in tensors
        if tensor.dtype.startswith("f8_") and WEIGHT.search(tensor.key)
    ]
    for scheme in _schemes():
        marks = (key for key in told if scheme.marks and scheme.marks.search(key))
        scales = (f"{stem}{name}" for name in scheme.float8 for stem in stems)
        found = next(chain(marks, (key for key in scales if key in own)), None)
        if found:
            return _refusal(scheme.what, tensors, f"found {found}")
    codes = [tensor for tensor in tensors if tensor.is_integer]
    weights = [tensor for tensor in codes if WEIGHT.search(tensor.key) and tensor.numel > 1]
    if not weights and not _are_many(codes, tensors):
        return None
    known = _scheme_beside(weights, own)
    first = max(weights or codes, key=lambda tensor: tensor.numel)
    share = sum(tensor.nbytes for tensor in codes) / sum(tensor.nbytes for tensor in tensors)
    return _refusal(
        known or "quantised weights of an unknown scheme",
        tensors,
        f"{len(codes)} of {len(tensors)} tensors, {share:.0%} of the bytes, are integers: found "
        f"{first.key} as {first.dtype}",
    )


def _refusal(what: str, tensors: Sequence[Held], told_by: str) -> Unread:
    numel = sum(tensor.numel for tensor in tensors)
    return Unread(f"{what}; {REMEDY}", numel, told_by)


def stray_integers(tensors: Sequence[Held]) -> list[str]:
    """Return the keys of integers that are no known counters, where they are too few for codes."""
    narrow = [t for t in tensors if t.is_integer and ITEM_BYTES[t.dtype] <= 4]
    many = sum(tensor.numel for tensor in narrow) >= FEWEST
    return [tensor.key for tensor in narrow] if many else []


def _are_many(codes: Sequence[Held], tensors: Sequence[Held]) -> bool:
    narrow = [tensor for tensor in codes if ITEM_BYTES[tensor.dtype] <= 4]
    return any(
        sum(each.numel for each in some) >= FEWEST and _share(some, tensors) >= least
        for some, least in ((narrow, NARROW_SHARE), (codes, SHARE))
    )


def _share(some: Sequence[Held], tensors: Sequence[Held]) -> float:
    """Return the share of elements or of bytes, whichever is greater."""
    elements = sum(t.numel for t in some) / sum(t.numel for t in tensors)
    return max(elements, sum(t.nbytes for t in some) / sum(t.nbytes for t in tensors))


def _scheme_beside(weights: Sequence[Held], keys: set[str]) -> str | None:
    stems = [tensor.key.removesuffix("weight") for tensor in weights]
    return next(
        (
            scheme.what
            for scheme in _schemes()
            if scheme.beside
            and any(all(f"{stem}{name}" in keys for name in scheme.beside) for stem in stems)
        ),
        None,
    )


@cache
def _schemes() -> tuple[Scheme, ...]:
    return tuple(
        Scheme(
            what=facts["what"],
            marks=re.compile("|".join(facts["marks"])) if "marks" in facts else None,
            beside=tuple(facts.get("beside", ())),
            float8=tuple(facts.get("float8", ())),
        )
        for facts in load("names/quantised")["schemes"]
    )
