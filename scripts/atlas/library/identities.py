"""Digests of whole blocks and components, as they are and as rounded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import xxhash

from atlas.tensors.tensors import rounds_to

AS_IS = "as is"
"""The form of weights that nothing was done to."""

FORMS = (AS_IS, "f32", "f16", "bf16")
"""What digests are kept of: the weights themselves, and what they are once rounded."""

Digests = tuple[bytes | None, ...]
"""One of each of FORMS, of 16 bytes; None where it is not known."""


@dataclass(frozen=True)
class Named:
    """One tensor's digests."""

    name: str
    """Within its component."""
    dtype: str
    digests: Mapping[str, str | None]
    """By form; None where what the tensor is once rounded so was not foretold."""


def named_digests(tensors: Iterable[Named]) -> Digests:
    """Return digests of names and contents: equal ones are the same weights in the same places."""
    ordered = sorted(tensors, key=lambda tensor: tensor.name)
    return tuple(_joined([(each.name, each.digests[form]) for each in ordered]) for form in FORMS)


def bare_digests(tensors: Iterable[Named]) -> Digests:
    """Return digests of contents in any order: equal ones are the same weights under any names."""
    held = list(tensors)
    return tuple(
        _joined([("", digest) for digest in _sorted([each.digests[form] for each in held])])
        for form in FORMS
    )


def forms_between(one: Digests, other: Digests) -> list[tuple[str, str]]:
    """
    Return how two sets of weights are the same: each as a form of the one and one of the other.

    Either is taken as it is against the other in any form: (AS_IS, AS_IS) is a copy, (AS_IS, "f16")
    says that the one is the other rounded to f16, and ("f16", AS_IS) the other way round.
    """
    found = []
    for place, form in enumerate(FORMS):
        if one[0] is not None and one[0] == other[place]:
            found.append((AS_IS, form))
        elif other[0] is not None and one[place] == other[0]:
            found.append((form, AS_IS))
    return found


def forms_worth_taking(own: Iterable[str], others: Iterable[str]) -> set[str]:
    """
    Return the dtypes that weights are to be rounded to so as to recognise what was cast of them.

    Parameters
    ----------
    own, others
        Dtypes of the weights, and of those that may be casts of them.

    >>> sorted(forms_worth_taking(["f32"], ["f16", "f32"])), forms_worth_taking(["f16"], ["f16"])
    (['f16'], set())
    """
    loses = {form for dtype in own for form in rounds_to(dtype) if form != dtype}
    return loses & set(FORMS) & set(others)


def _sorted(digests: Sequence[str | None]) -> list[str | None]:
    return sorted(digests, key=lambda digest: digest or "")


def _joined(digests: Sequence[tuple[str, str | None]]) -> bytes | None:
    if not digests or any(digest is None for _, digest in digests):
        return None
    text = "\n".join(f"{name}\0{digest}" for name, digest in digests)
    return xxhash.xxh3_128_digest(text.encode("utf-8", "surrogatepass"))
