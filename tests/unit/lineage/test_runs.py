"""Blocks of which the same is said, folded."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from atlas.lineage.runs import blocks_in_short, folded, shortened
from atlas.names.block_order import in_order

BLOCKS = [*(f"IN{n:02}" for n in range(12)), "MID", *(f"OUT{n:02}" for n in range(12)), "outside"]


@given(st.dictionaries(st.sampled_from(BLOCKS), st.sampled_from(["0", "0.5", "1"]), min_size=1))
def test_runs_hold_each_block_once_in_order_and_neighbours_differ(told):
    runs = folded(told.items())
    assert [block for run in runs for block in run.blocks] == in_order(told)
    assert all(told[block] == run.text for run in runs for block in run.blocks)
    assert all(one.text != other.text for one, other in pairwise(runs))


def test_a_gap_in_a_series_is_not_bridged():
    assert blocks_in_short(["IN00", "IN01", "IN03"]) == "IN00–IN01, IN03"
    assert blocks_in_short(["IN11", "MID", "OUT00", "OUT01"]) == "IN11, MID, OUT00–OUT01"
    assert blocks_in_short(["time_embedding"]) == "time_embedding"


def test_of_many_runs_the_first_and_the_last_are_told_and_the_rest_counted():
    runs = folded((block, str(place)) for place, block in enumerate(BLOCKS))
    assert len(runs) == len(BLOCKS)
    told = shortened(runs, 5, lambda run: run.name)
    assert len(told) == 6
    assert told[4] == f"{len(BLOCKS) - 5} more"
    assert told[-1] == runs[-1].name
    assert shortened(runs, len(runs), lambda run: run.name) == [run.name for run in runs]
