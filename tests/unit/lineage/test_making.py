"""What is read of fitted recipes."""

import pyarrow as pa

from atlas.basis import tables
from atlas.lineage import making
from atlas.recipes.tables import FITS

ROW = dict.fromkeys(FITS.names) | {"alike": [], "deviating": []}


def read(tmp_path, *rows):
    path = tmp_path / "fits.parquet"
    tables.write(pa.Table.from_pylist([ROW | row for row in rows], schema=FITS), path)
    return making.read(path, None)


def row(block, verdict, parents, weights=None, form="convex", alike=None):
    return {
        "target": "m", "component": "unet", "block": block, "verdict": verdict, "form": form,
        "parents": parents, "weights": weights, "alike": alike or [[] for _ in parents],
    }  # fmt: skip


def test_weights_of_blocks_are_found_by_parent_in_whatever_order(tmp_path):
    found = read(
        tmp_path,
        row("*", "recovered", ["a", "b"], alike=[["a2"], []]),
        row("IN00", "recovered", ["b", "a"], [0.7, 0.3]),
        row("IN01", "copy", ["a2"], form=None),
        row("MID", "equal", ["a", "b"], form=None),
        row("OUT00", "recovered", ["b"], [1.0]),
    )["m", "unet"]
    assert found.weights_of(0) == {"IN00": 0.3, "IN01": 1.0, "OUT00": 0.0}
    assert found.weights_of(1) == {"IN00": 0.7, "IN01": 0.0, "OUT00": 1.0}
    assert found.is_merge
    assert found.is_convex


def test_one_set_of_weights_serves_the_component(tmp_path):
    found = read(tmp_path, row("*", "recovered", ["a", "b"], [1.8, -0.8], "signed"))["m", "unet"]
    assert found.weights_of(1) == {"*": -0.8}
    assert not found.is_convex


def test_copies_and_unexplained_parts_are_no_merges(tmp_path):
    for verdict, parents in (("copy", ["a"]), ("none", []), ("equal", ["a", "b"])):
        assert not read(tmp_path, row("*", verdict, parents, form=None))["m", "unet"].is_merge
