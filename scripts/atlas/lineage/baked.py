"""LoRAs that were baked into models, from the table of low ranks, in words."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

from atlas.lineage.expressions import Name
from atlas.names.components import WORDS
from atlas.plots.words import role_title

EVERY = "*"
"""The role of rows that stand for a component as a whole."""
LORA, LOHA, LOW = "lora", "loha", "low rank"
FOUND = (LORA, LOHA, LOW)
"""Verdicts on a change of low rank."""


@dataclass(frozen=True)
class Change:
    """A row of the table of low ranks: how one component of a model differs from its base's."""

    base: str
    component: str
    role: str
    rank: int | None
    verdict: str
    tensors: int
    """Two-dimensional or larger ones that differ."""


Changes = Mapping[str, Sequence[Change]]
"""By model."""


def read(table: Path | None) -> Changes:
    """Return the changes that are told of, by model; none where they were not looked for."""
    if table is None:
        return {}
    found: dict[str, list[Change]] = {}
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["child"], []).append(
                Change(
                    base=row["base"],
                    component=row["component"],
                    role=row["role"],
                    rank=int(float(row["rank"])) if row["rank"] else None,
                    verdict=row["verdict"],
                    tensors=int(row["tensors"] or 0),
                )
            )
    return found


def words(changes: Sequence[Change], name: Name) -> list[str]:
    """
    Return a sentence for each base and component of a model into which something was baked.

    >>> whole = Change("sd", "unet", "*", 32, "lora", 9)
    >>> words([whole, Change("sd", "unet", "norm", 32, "lora", 9)], str)
    ['LoRA of rank 32 baked into the norm of the UNet of sd']
    """
    parts: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        parts.setdefault((change.base, change.component), []).append(change)
    told = []
    for (base, component), rows in parts.items():
        whole = next((row for row in rows if row.role == EVERY), None)
        roles = [row for row in rows if row.role != EVERY and row.tensors]
        held = [row for row in roles if row.verdict in FOUND]
        leading = whole if whole and whole.verdict in FOUND else None
        if leading is None and not held:
            continue
        where = _roles(held, roles)
        part = WORDS.get(component, component)
        told.append(f"{_kind(leading or held[0])} {where}the {part} of {name(base)}")
    return told


def _kind(change: Change) -> str:
    rank = f" of rank {change.rank}" if change.rank else ""
    if change.verdict == LORA:
        return f"LoRA{rank} baked into"
    if change.verdict == LOHA and change.rank:
        return f"LoHa of rank {isqrt(change.rank)} (its product has rank {change.rank}) baked into"
    if change.verdict == LOHA:
        return "LoHa baked into"
    return f"change of low rank{rank}, as a LoRA leaves, in"


def _roles(held: Sequence[Change], roles: Sequence[Change]) -> str:
    """Return the roles of the layers that hold it, where it is not in all that differ."""
    if not held or (len(held) == len(roles) and len(held) > 3):
        return ""
    names = [role_title(row.role).lower() for row in held]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"the {listed} of "
