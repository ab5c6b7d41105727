"""From a tidy table to squares: no number where nothing is known, and none that claims too much."""

import numpy as np
import pandas as pd
import pytest

from atlas.relations import group_matrices
from atlas.relations.groups import TOTAL
from atlas.relations.matrices import Matrix
from synthetic_families import matrix_of

MODELS = ["a", "b", "c"]


def pair(a: str, b: str, *, compared: tuple[int, int] = (10, 100), **columns) -> dict:
    """Return a row of a component of ten tensors; compared are so many of tensors, parameters."""
    whole = {"component": "unet", "block": TOTAL, "role": TOTAL, "tensors": 10, "parameters": 100}
    counts = {"compared_tensors": compared[0], "compared_parameters": compared[1]}
    statuses = ("identical", "only_a", "only_b", "refused")
    others = {f"{status}_tensors": 0 for status in statuses}
    return {"a": a, "b": b} | whole | counts | others | columns


def square(*rows: dict, measure: str = "l2") -> Matrix:
    frame = pd.DataFrame(rows)
    return group_matrices.matrix(frame, MODELS, component="unet", measure=measure)


def test_every_holder_has_its_place_on_the_diagonal_whichever_side_it_is_on():
    found = square(pair("a", "c", l2=2.0), pair("a", "b", compared=(0, 0), only_a_tensors=10))
    assert found.values.diagonal() == pytest.approx([0.0, np.nan, 0.0], nan_ok=True)
    assert found.identical.diagonal().tolist() == [True, False, True]


def test_the_cosine_of_the_same_weights_is_one():
    rows = (pair("a", "b", identical_tensors=10, cosine=0.5), pair("a", "c", cosine=0.25))
    found = square(*rows, pair("b", "c", cosine=0.25), measure="cosine")
    assert found.values.tolist() == [[1, 1, 0.25], [1, 1, 0.25], [0.25, 0.25, 1]]


def test_a_measured_zero_is_not_taken_for_the_same_weights():
    found = square(pair("a", "b", l2=0.0), pair("a", "c", l2=0.0, identical_tensors=10))
    assert found.values[0].tolist() == [0.0, 0.0, 0.0]
    assert found.identical[0].tolist() == [True, False, True]


def test_a_distance_over_a_part_is_kept_unless_all_of_that_part_is_identical():
    found = square(
        pair("a", "b", compared=(8, 20), identical_tensors=3, l2=2.0),
        pair("a", "c", compared=(8, 20), identical_tensors=8, l2=0.0),
    )
    assert found.values[0] == pytest.approx([0.0, 2.0, np.nan], nan_ok=True)


def test_coverage_is_the_share_of_parameters():
    rows = (
        pair("a", "b", compared=(8, 20), identical_tensors=8),
        pair("a", "c", compared=(0, 0)),
        pair("b", "c", identical_tensors=10),
    )
    found = square(*rows, measure="coverage")
    assert found.values.tolist() == [[1.0, 0.2, 0.0], [0.2, 1.0, 1.0], [0.0, 1.0, 1.0]]
    assert not found.identical.any()


def test_published_pairs_are_in_order_of_id_and_the_others_are_left_out():
    apart = matrix_of([[0, 2, np.nan], [2, 0, 3], [np.nan, 3, 0]])
    published = Matrix(("z", "a", "m"), apart.labels, apart.values, apart.identical, "unet")
    rows = group_matrices.tidy([published]).to_pylist()
    assert [(row["a"], row["b"], row["l2"]) for row in rows] == [("a", "z", 2.0), ("a", "m", 3.0)]
    assert {(row["block"], row["role"]) for row in rows} == {(TOTAL, TOTAL)}
    assert {row["identical_tensors"] for row in rows} == {None}
