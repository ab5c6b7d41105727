"""What the page of a group tells of two models: identity, blocks, and tensors that moved most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from atlas.pages import identity_part
from atlas.pages.atlas_page import Group


def added(
    group: Group,
    *,
    identity: pd.DataFrame,
    distances: Path | None,
    tensors: Path | None,
    spread: Path | None,
    most: int,
    linked: bool,
) -> Group:
    first = next(iter(group.matrices.values()))[0]
    size = len(first)
    told = np.arange(size * (size - 1) // 2, dtype=np.int32)
    parts = {"identity": identity_part.packed(identity, first.ids, told)}
    return replace(group, parts=parts, pairs={"is_all": True, "said": "", "linked": linked})
