"""Verdicts of pairs as a page keeps them, against the identity table."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

import packed_parts
from atlas.pages import identity_part

IDS = ("z", "null", "b", "10")
"""In the order of the page, which is not that of the table."""
COLUMNS = ["a", "b", "component", "verdict", "what"]


def frame() -> pd.DataFrame:
    """Return a table in which one pair has no row of the VAE."""
    verdicts = ("identical", "changed", "only in a")
    rows = [
        (*sorted(both), component, verdicts[(at + shift) % 3], f"{component} of {at % 2}")
        for at, both in enumerate(combinations(IDS, 2))
        for shift, component in enumerate(("vae", "unet"))
        if (at, component) != (4, "vae")
    ]
    return pd.DataFrame(rows[::-1], columns=COLUMNS)


def read(facts, arrays, told):
    """Return what the part says by pair and component, the slow way."""
    verdict, what = arrays[facts["verdict"]], arrays[facts["what"]]
    pairs = list(combinations(range(len(IDS)), 2))
    told_pairs = len(what) // len(facts["components"])
    found = {}
    for at, component in enumerate(facts["components"]):
        for pair, (one, other) in enumerate(pairs):
            code = verdict[at * len(pairs) + pair]
            if code == 0:
                continue
            words = what[at * told_pairs + told[pair]] if told[pair] >= 0 else -1
            found[frozenset((IDS[one], IDS[other])), component] = (
                facts["verdicts"][code],
                facts["whats"][words] if words >= 0 else None,
            )
    return found


def test_every_verdict_is_told_and_the_words_of_the_pairs_in_full():
    told = np.array([2, -1, 0, -1, 1, 3], np.int32)
    facts, arrays = packed_parts.opened(identity_part.packed(frame(), IDS, told))
    pair_of = {frozenset(both): at for at, both in enumerate(combinations(IDS, 2))}
    wanted = {
        (frozenset((row.a, row.b)), row.component): (
            row.verdict,
            row.what if told[pair_of[frozenset((row.a, row.b))]] >= 0 else None,
        )
        for row in frame().itertuples()
    }
    assert read(facts, arrays, told) == wanted
    assert len(wanted) == 11


def test_words_that_nobody_asks_for_are_not_in_the_page():
    told = np.full(6, -1, np.int32)
    facts, arrays = packed_parts.opened(identity_part.packed(frame(), IDS, told))
    assert facts["whats"] == []
    assert len(arrays[facts["what"]]) == 0
    assert len(read(facts, arrays, told)) == 11


def test_a_table_without_rows_says_nothing():
    empty = pd.DataFrame(columns=COLUMNS)
    for ids in (IDS, ("alone",)):
        told = np.arange(len(ids) * (len(ids) - 1) // 2, dtype=np.int32)
        facts, arrays = packed_parts.opened(identity_part.packed(empty, ids, told))
        assert facts["components"] == []
        assert len(arrays[facts["verdict"]]) == 0
