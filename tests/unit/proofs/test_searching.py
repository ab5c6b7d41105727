"""The search finds weights, order and casts on a sample, and direction from turning around."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.proofs.arithmetic import BY_NAME
from atlas.proofs.direction import turned_share, turned_weights
from atlas.proofs.rounding import cast, fused, stored
from atlas.proofs.searching import KEPT, search
from atlas.proofs.values import Chunk, Making, Tally

COUNT = 20_000


def models(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    base = generator.standard_normal(COUNT)
    return [
        (0.05 * (base + 0.2 * generator.standard_normal(COUNT))).astype(np.float32)
        for _ in range(count)
    ]


def chunk(target: np.ndarray, parents: list[np.ndarray]) -> Chunk:
    names = {"float32": "f32", "float16": "f16"}
    each = [target, *parents]
    return Chunk(
        tuple(names[str(array.dtype)] for array in each), [array.view(np.uint8) for array in each]
    )


def lerp(a: np.ndarray, b: np.ndarray, weight: float) -> np.ndarray:
    return BY_NAME["fused lerp"].values([a, b], (1 - weight, weight), "f32")


def test_the_order_of_an_average_is_found():
    a, b, c = models(3)
    near = np.float32(1 / 3)
    made = fused(b - lerp(c, a, 0.5), near, lerp(c, a, 0.5))
    found = search([chunk(made, [a, b, c])], [(1 / 3,) * 3], [("",)] * 3)
    whole = [way.order for way, tally in found if tally.share == 1]
    assert whole == [(2, 0, 1)]


def test_the_right_one_of_many_weights_is_found():
    a, b = models(2)
    weights = [(place / 100, 1 - place / 100) for place in range(100)]
    found = search([chunk(lerp(b, a, 0.37), [a, b])], weights, [("",)] * 2)
    assert found[0][0].weights == (0.37, 0.63)
    assert found[0][1].share == 1


@pytest.mark.parametrize("casts", [("", "f16"), ("f16", ""), ("f16", "f16"), ("", "bf16")])
def test_what_was_rounded_first_is_found(casts):
    a, b = models(2)
    made = lerp(cast(a, casts[0]), cast(b, casts[1]), 0.4)
    options = [("", "f16", "bf16")] * 2
    best, tally = search([chunk(made, [a, b])], [(0.6, 0.4)], options)[0]
    assert best.casts == casts
    assert tally.share == 1


def test_without_a_sample_each_arithmetic_is_tried():
    found = search([], [(0.7, 0.3)], [("",)] * 2)
    assert len(found) <= KEPT
    assert {"float64 sum", "fused lerp", "weighted sum"} <= {
        each.arithmetic.name for each, _ in found
    }
    assert {tally for _, tally in found} == {Tally()}


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_only_the_child_can_be_made(dtype):
    a, b = (each.astype(dtype) for each in models(2))
    single = [each.astype(np.float32) for each in (a, b)]
    names = {np.float32: "f32", np.float16: "f16"}
    made = BY_NAME["weighted sum"].values(single, (0.6, 0.4), names[dtype])
    target = stored(made, names[dtype]).view(dtype)
    making = Making(BY_NAME["weighted sum"], (0, 1), (0.6, 0.4), ("", ""))
    right = chunk(target, [a, b])
    assert right.tally(making) == Tally(*[np.count_nonzero(a != b)] * 2)
    assert 0.3 < turned_share([right], making) < 0.9


def test_an_added_difference_is_turned_around_nearly_but_not_wholly():
    a, b, c = models(3)
    c = (b + (c - b) / 20).astype(np.float32)
    weights = (1.0, 0.8, -0.8)
    target = BY_NAME["difference"].values([a, b, c], weights, "f32")
    making = Making(BY_NAME["difference"], (0, 1, 2), weights, ("", "", ""))
    right = chunk(target, [a, b, c])
    assert right.tally(making).share == 1
    assert 0.8 < turned_share([right], making) < 1


@pytest.mark.parametrize("kept", [np.float16, np.float32])
def test_a_parent_of_fewer_digits_that_comes_out_again_is_no_child(kept):
    """From a + 0.4 (b - c) in float32 comes a in float16, and its own digits show what it is."""
    a, b, c = models(3)
    a = a.astype(kept).astype(np.float32)
    c = (b + (c - b) / 20).astype(np.float32)
    weights = (1.0, 0.4, -0.4)
    target = BY_NAME["difference"].values([a, b, c], weights, "f32")
    making = Making(BY_NAME["difference"], (0, 1, 2), weights, ("", "", ""))
    right = chunk(target, [a.astype(kept), b, c])
    assert right.tally(making).share == 1
    assert turned_share([right.turned(0)], making) is not None
    assert turned_share([right], making) < 1


def test_digits_that_are_all_zero_are_none():
    """Of a child in float32 whose numbers are float16's, its parent could be the child as well."""
    a, b = (each.astype(np.float16) for each in models(2))
    target = (0.5 * a.astype(np.float32) + 0.5 * b.astype(np.float32)).astype(np.float16)
    making = Making(BY_NAME["float64 sum"], (0, 1), (0.5, 0.5), ("", ""))
    assert turned_share([chunk(target.astype(np.float32), [a, b])], making) > 0


def test_turned_weights_give_the_parent_in_exact_numbers():
    weights = (0.5, 0.3, 0.2)
    parents = np.array([1.0, -2.0, 3.5])
    child = float(np.dot(weights, parents))
    for place, parent in enumerate(parents):
        others = parents.copy()
        others[place] = child
        assert np.dot(turned_weights(weights, place), others) == pytest.approx(parent)


def test_signed_zeros_are_other_bits():
    a, b = np.zeros(4, np.float32), np.array([0.0, 1.0, 2.0, 3.0], np.float32)
    target = (0.5 * b).astype(np.float32)
    target[0] = -0.0
    making = Making(BY_NAME["weighted sum"], (0, 1), (0.5, 0.5), ("", ""))
    assert chunk(target, [a, b]).tally(making) == Tally(3, 3)  # the first does not differ
    target[1] = -target[1]
    assert chunk(target, [a, b]).tally(making) == Tally(3, 2)
