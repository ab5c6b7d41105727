"""What the page of a group says of two models' components, and of the families that share one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from atlas.pages.packing import LEVEL, Packing


def packed(frame: pd.DataFrame, ids: Sequence[str], told: NDArray[np.int32]) -> str:
    """
    Return the verdicts of all pairs, and of some the words on what they rest, as a part of a page.

    Parameters
    ----------
    frame
        The identity table: a, b, component, verdict, what.
    ids
        The group's models in the page's order.
    told
        (N · (N − 1) / 2,): the place of each pair, in the order of the upper triangle, among those
        that are told in full; -1 for none.
    """
    size = len(ids)
    place = pd.Series(np.arange(size), index=list(ids))
    one, other = (place.loc[frame[side].astype(str)].to_numpy() for side in "ab")
    low, high = np.minimum(one, other), np.maximum(one, other)
    pair = low * size - low * (low + 1) // 2 + high - low - 1
    components = sorted(frame["component"].astype(str).unique())
    at = _codes(frame["component"], components)
    verdicts = sorted(frame["verdict"].astype(str).unique())
    verdict = np.zeros((len(components), size * (size - 1) // 2), np.uint8)
    verdict[at, pair] = 1 + _codes(frame["verdict"], verdicts)
    in_full = told[pair] >= 0
    whats, numbers = np.unique(frame["what"].astype(str).to_numpy()[in_full], return_inverse=True)
    what = np.full((len(components), int(told.max(initial=-1)) + 1), -1, np.int32)
    what[at[in_full], told[pair][in_full]] = numbers
    packing = Packing()
    return packing.packed(
        {
            "components": components,
            "verdicts": ["", *verdicts],
            "verdict": packing.add(verdict),
            "whats": whats.tolist(),
            "what": packing.add(what),
        },
        level=LEVEL,
    )


def _codes(words: pd.Series, among: Sequence[str]) -> NDArray[np.intp]:
    """Return the place of each word; a table without rows has columns of no type."""
    place = {word: row for row, word in enumerate(among)}
    return np.asarray(words.astype(str).map(place), np.intp)
