"""The order of blocks: that in which diffusers' own modules are listed, wherever they tell it."""

import random
from itertools import pairwise

import pytest

from atlas.names import expected
from atlas.names.block_order import in_order, series_of
from atlas.names.blocks import blocks_of

DENOISERS = {table.architectures[0]: table for table in expected.tables("denoiser")}


@pytest.mark.parametrize("architecture", DENOISERS)
def test_series_rise_and_what_leads_out_comes_last(architecture):
    blocks = in_order(set(blocks_of(DENOISERS[architecture].shapes).values()))
    numbered = [place for place, block in enumerate(blocks) if series_of(block)[1]]
    # Stable Cascade's blocks have no marks.
    together = list(range(numbered[0], numbered[-1] + 1)) if numbered else []
    assert numbered == together or "MID" in blocks
    for one, other in pairwise(numbered):
        (series, number), (after, later) = series_of(blocks[one]), series_of(blocks[other])
        assert series != after or int(later) == int(number) + 1
    outer = {"conv_out", "proj_out", "all_final_layer"} & set(blocks)
    assert all(blocks.index(name) > numbered[-1] for name in outer)


def test_the_order_does_not_depend_on_what_it_is_given():
    blocks = ["IN00", "IN01", "MID", "OUT00", "OUT11", "conv_out", "time_embedding", "zebra"]
    mixed = random.Random(0).sample(blocks, len(blocks))
    assert in_order(mixed) == ["time_embedding", "zebra", *blocks[:6]]
