"""Weights that most tensors of a block follow."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.recipes.bounds import MEASURED
from atlas.recipes.verdicts import Form
from atlas.recipes.within import Tensors, explaining, robust
from made_up_merges import rounded, rounding_floor, squared_distances, tunes


def block(sizes: list[int], left_out: dict[int, list[float]]) -> Tensors:
    """Return the tensors of a merge of 0.7 and 0.3, some of which have other weights."""
    squares, floors = [], []
    for at, size in enumerate(sizes):
        _, parents = tunes(2, size, seed=at)
        child = rounded(np.array(left_out.get(at, [0.7, 0.3])) @ parents, "f16")
        squares.append(squared_distances(np.vstack([child, parents])))
        floors.append(rounding_floor(child, "f16") ** 2)
    held = np.array(squares)
    return Tensors(
        held[:, 1:, 1:],
        held[:, 0, 1:],
        np.array(floors),
        np.array(sizes, dtype=np.float64),
        np.full(2, MEASURED),
        1.0,
    )


def test_all_follow() -> None:
    found = robust(block([900, 400, 2000, 50], {}), Form.CONVEX)
    assert found.exact
    assert found.follows.all()
    np.testing.assert_allclose(found.weights, [0.7, 0.3], atol=5 * found.errors.max())


@pytest.mark.parametrize("form", [Form.CONVEX, Form.SIGNED])
@pytest.mark.parametrize("sizes", [[900, 400, 2000, 50, 700], [900, 400, 90_000, 50, 700]])
def test_what_was_left_out_is_not_averaged_in(sizes: list[int], form: Form) -> None:
    tensors = block(sizes, {2: [1, 0], 4: [0.2, 0.8]})
    found = robust(tensors, form)
    assert found.exact
    assert found.follows.tolist() == [True, True, False, True, False]
    np.testing.assert_allclose(found.weights, [0.7, 0.3], atol=0.002)
    own = explaining(tensors[np.array([2])], form)
    assert own is not None
    assert own.tolist() == [1, 0]
    own = explaining(tensors[np.array([4])], form)
    assert own is not None
    np.testing.assert_allclose(own, [0.2, 0.8], atol=0.005)


def test_a_tensor_that_nothing_explains() -> None:
    tensors = block([900], {})
    far = Tensors(
        tensors.between, 4 * tensors.to_target, tensors.floors, tensors.elements,
        tensors.precision, 1.0,
    )  # fmt: skip
    assert explaining(far, Form.CONVEX) is None


def test_where_nothing_is_exact_all_count() -> None:
    tensors = block([900, 400, 2000], {})
    noisy = Tensors(
        tensors.between,
        tensors.to_target + 1e-6 * tensors.elements[:, None],
        tensors.floors,
        tensors.elements,
        tensors.precision,
        1.0,
    )
    found = robust(noisy, Form.CONVEX)
    assert not found.exact
    assert found.follows.all()
    np.testing.assert_allclose(found.weights, [0.7, 0.3], atol=0.01)
    assert found.errors.min() > robust(tensors, Form.CONVEX).errors.max()
