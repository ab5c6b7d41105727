"""Projections keep lengths, whatever the weights are like, and both codes give equal bits."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.fingerprints.elements import compiled_projection
from atlas.fingerprints.elements.projection import (
    SHIFTS,
    SIGNS,
    STRETCH,
    SUMS,
    Projection,
    drawn,
    seed_of,
)

NAMES = [f"unet/mid_block.{number}.weight" for number in range(400)]
EXPECTED = np.sqrt(2 / SUMS)
"""Standard error of a squared length, as a share of it."""


def projected(name: str, values: np.ndarray) -> np.ndarray:
    """Return the sums of a whole tensor by the plain code."""
    projection = Projection(seed_of(name))
    flat = values.astype(np.float64).reshape(-1)
    for start in range(0, flat.size, STRETCH):
        projection.add(flat[start : start + STRETCH])
    return projection.sums


def slowly_projected(name: str, values: np.ndarray) -> np.ndarray:
    """Add up element by element, from the definition."""
    sums = np.zeros(SUMS)
    for number, value in enumerate(values.reshape(-1).tolist()):
        stretch, place = divmod(number, STRETCH)
        row, column = divmod(place, SUMS)
        state = drawn((stretch * 0x9E3779B97F4A7C15 - 0x9E3779B97F4A7C15) % 2**64, 1)[0]
        state = drawn((seed_of(name) + state - 0x9E3779B97F4A7C15) % 2**64, 1)[0]
        *signs, turn = drawn(state, 5)
        sign = -1 if signs[row // 64] >> (row % 64) & 1 else 1
        sums[(column + SHIFTS[row] + turn) % SUMS] += value * sign * SIGNS[row, column]
    return sums


def squared_ratios(values: np.ndarray) -> np.ndarray:
    """Return ‖Sx‖² / ‖x‖² under many names, thus many draws of signs."""
    return np.array([(projected(name, values) ** 2).sum() for name in NAMES]) / (values**2).sum()


def test_splitmix_draws_what_its_authors_code_draws():
    assert drawn(1234567, 3) == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 3000, STRETCH + 700])
def test_sums_are_those_of_the_definition(size):
    values = np.random.default_rng(size).integers(-9, 9, size)  # sums of whole numbers are exact
    np.testing.assert_array_equal(projected(NAMES[0], values), slowly_projected(NAMES[0], values))


@pytest.mark.parametrize("size", [1, 255, 256, 1023, 1025, STRETCH - 1, STRETCH])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_compiled_code_gives_equal_bits(size, dtype):
    values = np.random.default_rng(size).standard_normal((3, size)).astype(dtype)
    plain, twin = Projection(seed_of("unet/é")), Projection(seed_of("unet/é"))
    for stretch in values:
        plain.add(stretch.astype(np.float64))
        compiled_projection.project(twin, stretch)
    assert plain.sums.tobytes() == twin.sums.tobytes()
    assert plain.stretches == twin.stretches == 3


def loud_channels(shape: tuple[int, int], *loud: int) -> np.ndarray:
    """Return weights of which some input channels are a hundred times the others."""
    values = np.random.default_rng(0).standard_normal(shape)
    values[:, list(loud)] *= 100
    return values


DIFFERENCES = {
    "normal": np.random.default_rng(1).standard_normal((300, 256)),
    "an offset": np.full((300, 256), 0.01),
    "one loud channel": loud_channels((256, 256), 7),
    "one loud channel of a wide matrix": loud_channels((128, 1280), 300),
    "two loud channels": loud_channels((256, 256), 7, 71),
    "a loud row": loud_channels((256, 256), 9).T.copy(),
    "a diagonal": np.diag(np.random.default_rng(2).standard_normal(256)),
    "low rank": np.outer(*np.random.default_rng(3).standard_normal((2, 256))),
    "a convolution": np.random.default_rng(4).standard_normal((32, 32, 3, 3)),
    "every 256th": np.where(np.arange(1 << 16) % 256 == 3, 1.0, 0.0),
    "every 257th": np.where(np.arange(1 << 16) % 257 == 3, 1.0, 0.0),
}


@pytest.mark.parametrize("values", DIFFERENCES.values(), ids=DIFFERENCES)
def test_squared_lengths_are_unbiased_with_the_error_that_is_told(values):
    ratios = squared_ratios(values)
    assert abs(ratios.mean() - 1) < 4 * EXPECTED / np.sqrt(len(NAMES))
    assert ratios.std() < 1.25 * EXPECTED


@pytest.mark.parametrize("size", [1, 40, 256])
def test_a_tensor_of_one_row_keeps_its_length(size):
    values = np.random.default_rng(size).standard_normal(size)
    np.testing.assert_allclose(squared_ratios(values), 1, rtol=1e-12)


def test_one_changed_element_is_told_to_the_last_digit():
    before = np.random.default_rng(0).integers(-99, 99, 5 * STRETCH).astype(np.float64)
    after = before.copy()
    after[3 * STRETCH + 12345] += 7
    difference = projected(NAMES[0], after) - projected(NAMES[0], before)
    assert np.abs(difference).max() == 7
    assert np.count_nonzero(difference) == 1


def test_tensors_of_other_names_do_not_meet_alike():
    one, other = (projected(name, np.ones(1000)) for name in NAMES[:2])
    cosine = one @ other / np.sqrt((one @ one) * (other @ other))
    assert abs(cosine) < 5 / np.sqrt(SUMS)
