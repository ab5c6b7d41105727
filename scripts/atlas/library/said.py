"""What models say of their own making, in a form that can be shared, and in sentences."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from atlas.basis.errors import printable
from atlas.claims.claim import WHOLE, Claim, Held, Kind, Parent
from atlas.claims.writers import claims_in
from atlas.tensors.tensors import FileMetadata

MOST = 500
"""Claims of a model that are kept: a merge by blocks has one for each of them."""

PLACE = re.compile(r"^(?:[/~]|[A-Za-z]:[\\/])|\\|\.(?:safetensors|sft|ckpt|pt|pth|bin)$", re.I)
"""Tells a path from a name or an id of a hub: of a machine's paths the last part is kept."""


def claims_of(metadata: Iterable[FileMetadata], blocks: Mapping[str, set[str]]) -> list[Claim]:
    """Return what a model's files say of its making, without places on anybody's machine."""
    claims = claims_in(metadata, Held.of(blocks))
    return [_shared(claim) for claim in claims[:MOST]]


def kept(claims: Iterable[Claim]) -> list[dict[str, Any]]:
    """Return claims as JSON keeps them."""
    return [
        {
            "source": claim.source,
            "kind": str(claim.kind),
            "component": claim.component,
            "block": claim.block,
            "parents": [[parent.name, parent.weight] for parent in claim.parents],
        }
        for claim in claims
    ]


def restored(told: Iterable[Mapping[str, Any]]) -> tuple[Claim, ...]:
    """Return the claims that `kept` has made JSON of."""
    return tuple(
        Claim(
            source=each["source"],
            kind=Kind(each["kind"]),
            component=each["component"],
            block=each["block"],
            parents=tuple(Parent(name, weight) for name, weight in each["parents"]),
        )
        for each in told
    )


def sentences(claims: Sequence[Claim]) -> list[str]:
    """Return claims in words: those of single blocks of a component as one."""
    held: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in claims:
        held.setdefault((claim.source, claim.kind, claim.component), []).append(claim)
    found = []
    for (source, kind, component), some in held.items():
        where = "" if component == WHOLE else f", {component}"
        if len(some) > 1:
            names = dict.fromkeys(parent.name for claim in some for parent in claim.parents)
            told = f"{', '.join(names)}, block by block" if names else f"{len(some)} times"
        else:
            told = ", ".join(_parent(parent) for parent in some[0].parents)
        found.append(f"{kind}{where}{f': {told}' if told else ''} ({source})")
    return found


def _parent(parent: Parent) -> str:
    return parent.name if parent.weight is None else f"{parent.weight:.4g} {parent.name}"


def _shared(claim: Claim) -> Claim:
    return Claim(
        source=claim.source,
        kind=claim.kind,
        component=claim.component,
        block=claim.block,
        parents=tuple(Parent(bare(parent.name), parent.weight) for parent in claim.parents),
    )


def bare(name: str) -> str:
    r"""
    Return a parent's name without the folders of a machine.

    >>> bare("/home/me/models/a b.safetensors"), bare(r"C:\m\x.ckpt"), bare("owner/model")
    ('a b.safetensors', 'x.ckpt', 'owner/model')
    """
    told = printable(name)
    return re.split(r"[\\/]", told.rstrip("\\/"))[-1] if PLACE.search(told) else told
