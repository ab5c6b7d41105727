"""How far blocks and roles moved: the reference's pairs, laid out in the network's order."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from atlas.relations import moved
from atlas.relations.groups import TOTAL
from tidy_parts import TENSORS, part, tidy


def written(tmp_path, rows):
    """Return the file of a tidy table, of which each row group has two rows."""
    pq.write_table(tidy(rows), tmp_path / "distances.parquet", row_group_size=2)
    return tmp_path / "distances.parquet"


def three(tmp_path):
    """Return the table of a, b and c: b in the middle of the alphabet is looked from."""
    rows = [
        part(a, b, block, far=far * scale)
        for (a, b), scale in ((("a", "b"), 1.0), (("a", "c"), 10.0), (("b", "c"), 100.0))
        for block, far in (("OUT00", 1.0), ("IN01", 2.0), ("IN10", 3.0), ("MID", 4.0))
    ]
    rows += [part("a", "b", TOTAL, role, far=0.5) for role in ("norm", "self_attention")]
    rows += [part("a", "b", TOTAL, TOTAL, far=9.0), part("a", "b", "MID", "norm", far=9.0)]
    return written(tmp_path, rows)


def test_blocks_are_those_of_the_references_pairs_in_the_networks_order(tmp_path):
    found = moved.from_reference(three(tmp_path), "b", ("a", "b", "c"))["unet"]
    assert found.blocks.rows == ("a", "c")
    assert found.blocks.columns == ("IN01", "IN10", "MID", "OUT00")
    np.testing.assert_array_equal(found.blocks.values, [[2, 3, 4, 1], [200, 300, 400, 100]])


def test_roles_are_totals_over_blocks(tmp_path):
    found = moved.from_reference(three(tmp_path), "b", ("a", "b", "c"))["unet"].roles
    assert found.columns == ("self_attention", "norm")
    np.testing.assert_array_equal(found.values, [[0.5, 0.5], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("row", "is_what"),
    [
        ({"same": TENSORS}, "identical"),
        ({"same": TENSORS, "covered": 50}, "shared"),
        ({"covered": 0}, "missing"),
        ({"far": 2.0, "covered": 50}, "partial"),
    ],
)
def test_what_is_known_of_a_cell(tmp_path, row, is_what):
    file = written(tmp_path, [part("a", "b", "MID", **row), part("a", "c", "IN00", far=1.0)])
    grid = moved.from_reference(file, "a", ("a", "b", "c"))["unet"].blocks
    assert getattr(grid, is_what)[0, 1]
    names = {"identical", "shared", "missing", "absent"} - {is_what}
    assert not any(getattr(grid, name)[0, 1] for name in names)
    assert grid.absent[0, 0]
    assert np.isnan(grid.values[0, 1]) == (is_what != "partial")


def test_equal_values_of_two_types_are_zero_and_not_identical(tmp_path):
    file = written(tmp_path, [part("a", "b", "MID", far=0.0)])
    grid = moved.from_reference(file, "a", ("a", "b"))["unet"].blocks
    assert grid.values[0, 0] == 0
    assert not grid.identical[0, 0]


def test_a_pairs_grid_has_roles_by_blocks_and_all_roles_last():
    rows = [
        part("a", "b", "MID", "norm", far=1.0),
        part("a", "b", "IN00", "convolution", far=2.0),
        part("a", "b", "MID", far=3.0),
        part("a", "b", "IN00", far=4.0),
        part("a", "b", TOTAL, "norm", far=5.0),
        part("a", "b", TOTAL, TOTAL, component="all", far=6.0),
    ]
    found = moved.within_pair(tidy(rows))
    assert list(found) == ["unet"]
    grid = found["unet"]
    assert (grid.rows, grid.columns) == (("norm", "convolution", TOTAL), ("IN00", "MID"))
    np.testing.assert_array_equal(grid.values, [[np.nan, 1], [2, np.nan], [4, 3]])
    np.testing.assert_array_equal(grid.absent, np.isnan(grid.values))


def test_no_rows_are_no_components():
    assert moved.within_pair(tidy([])) == {}
