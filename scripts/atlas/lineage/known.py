"""All that is known of a group when its lineage is traced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from atlas.lineage.claimed import Claimed
from atlas.lineage.digests import Derived
from atlas.lineage.holders import Holders
from atlas.lineage.making import Making
from atlas.lineage.signs import Moments


@dataclass(frozen=True)
class Known:
    """What is known of a group's models."""

    group: str
    labels: Mapping[str, str]
    """Model to what it is called, of all models."""
    derived: Derived
    holders: Mapping[str, Holders]
    """Component to its contents; of models that stand for all with the same weights."""
    makings: Mapping[tuple[str, str], Making] = field(default_factory=dict)
    claimed: Claimed = field(default_factory=Claimed)
    proofs: pd.DataFrame | None = None
    low_rank: pd.DataFrame | None = None
    moments: Mapping[str, Mapping[str, Moments]] = field(default_factory=dict)
    base: str | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    """Model to the base that the roster declares."""

    @property
    def leading_base(self) -> str | None:
        """The model that stands for the group's base."""
        return self.derived.same.get(self.base, self.base) if self.base is not None else None

    @property
    def has_norms(self) -> bool:
        """Whether it is known how far apart unrelated models would be."""
        return any((each.relative == each.relative).any() for each in self.holders.values())
