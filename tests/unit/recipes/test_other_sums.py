"""Sums that explain a target as well as its recipe does, against points whose sums are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.recipes.other_sums import OtherSum, Stored
from atlas.recipes.tables import WHOLE

SIZE = 4000


@pytest.fixture(scope="module")
def points():
    random = np.random.default_rng(5)
    base = random.normal(size=SIZE)
    found = {name: base + 0.1 * random.normal(size=SIZE) for name in "abcd"}
    found["copy"] = found["a"]
    found["chain"] = 0.3 * found["a"] + 0.7 * found["b"]
    found["m"] = 0.5 * found["a"] + 0.5 * found["chain"]
    found["three"] = 0.5 * found["a"] + 0.25 * found["b"] + 0.25 * found["c"]
    found["n"] = 0.5 * found["three"] + 0.2 * found["c"] + 0.3 * found["b"]
    return found


def table(points, path: Path) -> Path:
    """Write distances as a group's table has them, with rows of other parts beside them."""
    rows = [
        {
            "a": one, "b": other, "component": "unet", "block": block, "role": WHOLE,
            "l2": wrong * float(np.linalg.norm(points[one] - points[other])),
            "compared_parameters": SIZE,
        }
        for one in sorted(points)
        for other in sorted(points)
        if one < other
        for block, wrong in ((WHOLE, 1.0), ("IN00", 3.0))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="module")
def stored(points, tmp_path_factory):
    path = table(points, tmp_path_factory.mktemp("distances") / "distances.parquet")
    return Stored.read(path, "unet", points)


def sums(stored, target, parents, **given):
    return stored.sums(target, parents, **({"parameters": SIZE, "floor": 1e-6} | given))


def rounded(found: list[OtherSum]) -> dict[tuple[str, ...], tuple[float, ...]]:
    return {each.parents: tuple(round(weight, 4) for weight in each.weights) for each in found}


def test_of_models_on_a_line_all_pairs_around_the_target_are_told_the_plainest_first(stored):
    found = sums(stored, "m", ("a", "b"))
    assert rounded(found) == {("a", "chain"): (0.5, 0.5)}
    found = sums(stored, "m", ("a", "chain"))
    assert rounded(found) == {("a", "b"): (0.65, 0.35)}


def test_sets_of_three_are_sought_in_the_plane_of_three_parents(stored):
    found = rounded(sums(stored, "n", ("a", "b", "c")))
    assert found[("three", "b", "c")] == (0.5, 0.3, 0.2)
    assert not any(len(members) == 3 for members in rounded(sums(stored, "n", ("b", "c"))))


def test_one_stands_for_all_that_are_equal(stored):
    assert not any("copy" in each.parents for each in sums(stored, "m", ("b", "chain")))


def test_models_that_share_fewer_parameters_are_left_out(stored):
    assert sums(stored, "m", ("a", "b"), parameters=SIZE + 1) == []


def test_what_rounding_does_not_explain_is_no_sum(points, tmp_path):
    random = np.random.default_rng(6)
    moved = {**points, "m": points["m"] + 0.01 * random.normal(size=SIZE)}
    off = Stored.read(table(moved, tmp_path / "distances.parquet"), "unet", moved)
    step = float(np.linalg.norm(moved["m"] - points["m"]))
    assert sums(off, "m", ("a", "b"), floor=step / 2) == []
    assert rounded(sums(off, "m", ("a", "b"), floor=step)).keys() == {("a", "chain")}
