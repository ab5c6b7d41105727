"""Contents side by side: what the digests say of two tensors, and how many parameters they have."""

import numpy as np
import pytest

from atlas.relations.contents import Status


def status_of(lay, a: np.ndarray, b: np.ndarray) -> Status:
    """Return how one tensor of two models stands to each other."""
    held = lay({"a": {"unet/x": a}, "b": {"unet/x": b}})
    (status,) = held.status(held.index[:, 0], held.index[:, 1])
    return Status(status)


def test_a_copy_that_overflowed_is_no_rounded_one(lay_side_by_side):
    wide = np.array([1.0, 1e6], np.float32)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float16)
    assert np.isinf(narrow[1])
    assert status_of(lay_side_by_side, wide, narrow) == Status.NONFINITE
    assert status_of(lay_side_by_side, narrow, wide) == Status.NONFINITE
    assert status_of(lay_side_by_side, wide[:1], narrow[:1]) == Status.CAST


def test_an_exact_copy_in_float64_is_a_cast(lay_side_by_side):
    narrow = np.random.default_rng(0).standard_normal(9).astype(np.float32)
    assert status_of(lay_side_by_side, narrow, narrow.astype(np.float64)) == Status.CAST
    moved = np.nextafter(narrow.astype(np.float64), 9.0)
    assert status_of(lay_side_by_side, moved, narrow) == Status.CAST, "which rounds to the other"
    moved[3] += 1e-3
    assert status_of(lay_side_by_side, moved, narrow) == Status.DIFFERENT


def test_shapes_that_differ_count_as_the_larger_from_either_side(lay_side_by_side):
    held = lay_side_by_side({"a": {"unet/x": np.ones(2)}, "b": {"unet/x": np.ones(5)}})
    first, second = held.index.T
    assert held.numel(first, second) == held.numel(second, first) == [5]


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_one_broken_side_is_enough(lay_side_by_side, broken):
    sound, other = np.ones(2, np.float32), np.array([1.0, broken], np.float32)
    assert status_of(lay_side_by_side, sound, other) == Status.NONFINITE
    assert status_of(lay_side_by_side, other, sound) == Status.NONFINITE


def test_parameters_are_those_of_the_side_that_has_the_tensor(lay_side_by_side):
    sizes = {"a": {"unet/x": 2, "unet/y": 3}, "b": {"unet/y": 3, "unet/z": 5}}
    held = lay_side_by_side(
        {
            model: {name: np.full(size, size, np.float32) for name, size in own.items()}
            for model, own in sizes.items()
        }
    )
    first, second = held.index.T
    assert held.numel(first, second).tolist() == [2, 3, 5]
    assert held.numel(second, first).tolist() == [2, 3, 5]
