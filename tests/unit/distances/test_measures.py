"""Every measure is right: against plain float64, for all dtypes, near and far, large and tiny."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atlas.distances import vectors
from atlas.distances.vectors import VECTOR_BYTES, sums
from atlas.fingerprints.elements.buffers import aligned_empty
from measured import NAME, contents_of, exact, fingerprints, measure
from stored import DTYPES

FLOATS = ["f64", "f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2"]
L0, L1, L2, LINF, DOT = range(5)
FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def noise(seed: int, size: int, dtype: str = "f32", scale: float = 0.05) -> np.ndarray:
    """Return normal weights of any dtype."""
    values = np.random.default_rng(seed).standard_normal(size) * scale
    return values.astype(np.float32).astype(DTYPES[dtype])


def bound(a: np.ndarray, b: np.ndarray) -> float:
    """Return what docs/distances.md promises of sums, relative to the sum of the terms' sizes."""
    return 2.0**-40 if np.float64 in (a.dtype, b.dtype) else 40 * 2.0**-24


def check(tmp_path, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Assert that the measures are within the promised bound of long double, and return them."""
    found, expected, relative = measure(tmp_path, [a, b])[0, 1], exact(a, b), bound(a, b)
    assert found[L0] == expected[L0]
    np.testing.assert_allclose(found[L1], expected[L1], rtol=relative)
    np.testing.assert_allclose(found[L2], expected[L2], rtol=relative)
    rounding = 2.0**-52 if np.float64 in (a.dtype, b.dtype) else 2.0**-24
    np.testing.assert_allclose(found[LINF], expected[LINF], rtol=rounding)
    # a scalar product may cancel to nothing: it is exact in units of what was added up
    x, y = (array.astype(np.longdouble) for array in (a, b))
    scale = np.abs(x * y).sum() + 1e-30 * np.sqrt((x * x).sum() * (y * y).sum())
    assert abs(found[DOT] - expected[DOT]) <= relative * scale
    return found


@pytest.mark.parametrize("value", [1 / 3, 0.1, 1 + 2.0**-23, 2.0**-40 / 3])
@pytest.mark.parametrize("second", FLOATS)
@pytest.mark.parametrize("first", FLOATS)
def test_constant_weights_of_any_two_dtypes(tmp_path, first, second, value):
    """Equal summands round alike: nothing is further from the true sums."""
    one, other = (np.full(100_003, sign * value) for sign in (1, -1))
    check(
        tmp_path,
        one.astype(np.float32).astype(DTYPES[first]),
        other.astype(np.float32).astype(DTYPES[second]),
    )


@pytest.mark.parametrize("second", FLOATS)
@pytest.mark.parametrize("first", FLOATS)
def test_far_contents_of_any_two_dtypes(tmp_path, first, second):
    check(tmp_path, noise(1, 100_003, first), noise(2, 100_003, second))


@pytest.mark.parametrize("seeds", [(1, 2), (3, 4), (5, 6)])
def test_the_dot_of_unrelated_contents_keeps_its_digits(tmp_path, seeds):
    a, b = (noise(seed, 1_000_000) for seed in seeds)
    found, expected = measure(tmp_path, [a, b])[0, 1], exact(a, b)
    assert found[DOT] == pytest.approx(expected[DOT], rel=1e-6)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_contents_a_millionth_apart(tmp_path, dtype):
    a = noise(1, 300_000, dtype)
    check(tmp_path, a, (a * (1 + 1e-6 * noise(2, a.size, "f64", scale=1))).astype(a.dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_contents_one_step_apart(tmp_path, dtype):
    a = noise(1, 50_000, dtype)
    bits = a.view(f"u{a.itemsize}").copy()
    bits[::3] ^= 1
    check(tmp_path, a, bits.view(a.dtype))


@pytest.mark.parametrize("step", [0.1, 1 / 3, 1e-3, 3e-6])
def test_a_constant_shift_does_not_drift(tmp_path, step):
    """Equal summands round alike, so float32 sums that are too long show here first."""
    a = np.zeros(200_000, np.float32)
    found, expected = measure(tmp_path, [a, np.full_like(a, step)])[0, 1], exact(a, a + step)
    np.testing.assert_allclose(found[:DOT], expected[:DOT], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 63, 64, 2047, 2048, 2049, 16_384, 16_385, 1_000_001])
def test_one_element_that_differs(tmp_path, size):
    a = noise(1, size, "f16").astype(np.float32)
    for place in {0, size // 2, size - 1}:
        b = a.copy()
        b[place] += 0.25
        found = check(tmp_path, a, b)
        assert found[L0] == 1
        assert found[L1] == found[L2] == found[LINF] == 0.25


def test_one_element_in_a_hundred_million(tmp_path):
    a = np.tile(noise(1, 10**6, "f16"), 100)
    b, place = a.copy(), a.size - 1
    b[place] += np.float16(0.01)
    found = measure(tmp_path, [a, b])[0, 1]
    apart = float(b[place]) - float(a[place])
    np.testing.assert_allclose(found[:DOT], [1, apart, apart, apart], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-30, 1e-20, 1e-10, 1e10, 1e18, 1e30, 3e38])
def test_squares_beyond_the_range_of_float32(tmp_path, scale):
    a, b = (np.clip(noise(seed, 5000, scale=1), -1, 1) * np.float32(scale) for seed in (1, 2))
    check(tmp_path, a, b)


@pytest.mark.parametrize("apart", [1e-30, 1e-22, 1e-21, 1e-18, 1e-15, 1e-12])
def test_tiny_differences_among_ordinary_weights(tmp_path, apart):
    a = noise(1, 5000)
    b = a.copy()
    a[17], b[17] = 0, apart
    check(tmp_path, a, b)


def test_the_smallest_float64_are_not_taken_for_equal(tmp_path):
    a = np.zeros(10)
    b = a.copy()
    b[3] = 5e-324
    found = measure(tmp_path, [a, b])[0, 1]
    assert found[:DOT].tolist() == [1, 5e-324, 5e-324, 5e-324]


def test_float64_whose_squares_leave_float64_are_not_measured(tmp_path):
    given = {"a": np.full(9, 1e200), "b": np.full(9, 2e200), "c": np.ones(9)}
    tables = fingerprints(tmp_path, {name: {NAME: array} for name, array in given.items()})
    held = contents_of(tables, shard=0, count=1)
    assert len(held[NAME]) == 1, "as with infinite ones, which no distance is told of"


@pytest.mark.parametrize("scale", [1e-150, 1e-100, 1e70])
def test_float64_of_any_size_that_is_measured(tmp_path, scale):
    check(tmp_path, *(scale * np.random.default_rng(0).standard_normal((2, 5000))))


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_narrow_and_wide_vectors_add_up_to_the_same_bits(monkeypatch, precision):
    """Whatever the processor: the inner loop is compiled for registers of either width."""
    generator = np.random.default_rng(0)
    a, b = (aligned_empty(8 * VECTOR_BYTES).view(precision) for _ in range(2))
    a[:], b[:] = generator.standard_normal((2, a.size)) * 0.05
    found = []
    for width in (64, 128, 256):
        monkeypatch.setattr(vectors, "REGISTER_BYTES", width)

        @numba.njit
        def add_up(x, y):
            return sums(x.ctypes.data, y.ctypes.data, 8, x.dtype.type(0))

        found.append(np.array(add_up(a, b)).tobytes())
    assert len(set(found)) == 1


def test_zeros_of_either_sign_do_not_differ(tmp_path):
    found = measure(tmp_path, [np.zeros(9, np.float32), -np.zeros(9, np.float32)])[0, 1]
    assert found.tolist() == [0] * 5


def test_differences_of_float64_are_taken_in_float64(tmp_path):
    a = np.ones(100)
    found = measure(tmp_path, [a, a + 1e-12])[0, 1]
    assert found[L1] == pytest.approx(1e-10, rel=1e-3)
    assert found[L0] == 100


weights = arrays.arrays(
    np.float32,
    st.shared(st.integers(1, 300), key="size"),
    elements=st.one_of(
        st.floats(-1, 1, width=32),
        st.floats(-(2.0**60), 2.0**60, width=32),
        st.sampled_from([0.0, -0.0, 1e-40, 0.5]),
    ),
)


@FOLDER
@given(a=weights, b=weights)
def test_all_measures_are_those_of_plain_float64(tmp_path, a, b):
    if a.tobytes() != b.tobytes():
        check(tmp_path, a, b)


@FOLDER
@given(contents=st.lists(weights, min_size=3, max_size=3))
def test_measures_are_distances(tmp_path, contents):
    """They are symmetric, 0 for equal values alone, and no detour is shorter."""
    apart, back = measure(tmp_path, contents), measure(tmp_path, contents[::-1])
    for i, j in ((0, 1), (1, 2), (0, 2)):
        equal = (contents[i] == contents[j]).all()
        for measured in (L0, L1, L2, LINF):
            assert apart[i, j][measured] == back[2 - j, 2 - i][measured]
            assert (apart[i, j][measured] == 0) == equal
    for measured in (L0, L1, L2, LINF):
        detour = apart[0, 1][measured] + apart[1, 2][measured]
        assert apart[0, 2][measured] <= detour * (1 + 1e-6)
