"""Decoding, rounding and moments against other implementations, plain and compiled alike."""

from __future__ import annotations

from types import ModuleType

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atlas.fingerprints.elements import compiled, jit
from atlas.fingerprints.elements.decoding import decode, round_to_bf16, round_to_f16
from atlas.fingerprints.elements.float8 import values_of
from atlas.fingerprints.elements.moments import LANES, Moments
from atlas.fingerprints.fingerprint import plain_chunk
from stored import DTYPES

FLOATS = ["f64", "f32", "f16", "bf16", "f8_e4m3fn", "f8_e5m2"]
CHUNKS = {"plain": plain_chunk, "compiled": compiled.CompiledChunks(1 << 17)}
finite = st.floats(-(2.0**100), 2.0**100, width=32)


def every_code(dtype: str) -> np.ndarray:
    """Return all values of a dtype of up to 16 bits, random bits of a wider one."""
    kind = DTYPES[dtype]
    if kind.itemsize <= 2:
        return np.arange(256**kind.itemsize, dtype=f"u{kind.itemsize}").view(kind)
    return np.frombuffer(np.random.default_rng(0).bytes(kind.itemsize << 14), kind)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_code_is_decoded(dtype):
    values = every_code(dtype)
    expected = values.astype(np.float64 if dtype == "f64" else np.float32)
    found = decode(values.view(np.uint8), dtype)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_compiled_twin_decodes_every_code(dtype):
    raw = every_code(dtype).view(np.uint8)
    expected = decode(raw, dtype)
    found = np.empty_like(expected)
    compiled.decode_into(raw, compiled.CODES[dtype], compiled.FLOAT8, found)
    np.testing.assert_array_equal(found, expected)


def half(values: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """Return the bits of torch's half-precision copy."""
    return torch.from_numpy(values.copy()).to(dtype).view(torch.int16).numpy().view(np.uint16)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_is_that_of_a_half_precision_copy(dtype, chunk):
    values = every_code(dtype)[: 1 << 16]
    values = values[np.array([value == value for value in values.tolist()])]
    wide = values.astype(np.float64 if dtype == "f64" else np.float32)
    bits = chunk(values.view(np.uint8), dtype, {"f32", "f16", "bf16"}, Moments())
    with np.errstate(over="ignore"):
        single = wide.astype(np.float32)
    np.testing.assert_array_equal(bits["f32"], single.view(np.uint32))
    np.testing.assert_array_equal(bits["f16"], half(wide, torch.float16))
    np.testing.assert_array_equal(bits["bf16"], half(wide, torch.bfloat16))


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_ties_go_to_even(chunk):
    exact = np.arange(0x3C00, 0x3C40, dtype=np.uint16).view(np.float16).astype(np.float32)
    ties = (exact[:-1] + exact[1:]) / 2
    bits = chunk(ties.view(np.uint8), "f32", {"f16", "bf16"}, Moments())
    assert (bits["f16"] % 2 == 0).all()
    np.testing.assert_array_equal(bits["f16"], half(ties, torch.float16))
    np.testing.assert_array_equal(bits["bf16"], half(ties, torch.bfloat16))


def nearest_float8(values: np.ndarray, dtype: str) -> np.ndarray:
    """Round the slow and obvious way: by the distances to all values that there are."""
    with np.errstate(invalid="ignore"):  # NaN among the codes
        table = values_of(dtype)[:128].astype(np.float64)
    table[np.isinf(table)] = 2.0 * table[table < np.inf].max() - table[:0x7B][-1]
    steps = table[~np.isnan(table)]
    found = []
    for size, negative in zip(np.abs(values.astype(np.float64)), np.signbit(values), strict=True):
        apart = np.abs(steps - min(size, 1e6))
        closest = np.flatnonzero(apart == apart.min())
        code = closest[0] if len(closest) == 1 else next(c for c in closest if c % 2 == 0)
        found.append(code + 128 * negative)
    return np.array(found, np.uint8)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("dtype", ["f8_e4m3fn", "f8_e5m2"])
def test_rounding_is_that_of_an_8_bit_copy(dtype, chunk):
    exact = values_of(dtype)[:128]
    exact = exact[np.isfinite(exact)]
    ties = (exact[:-1] + exact[1:]) / 2
    near = np.concatenate([ties, np.nextafter(ties, 0), np.nextafter(ties, 1e9), exact])
    drawn = np.random.default_rng(0).standard_normal(1000) * 2.0 ** np.linspace(-22, 8, 1000)
    drawn = drawn[np.abs(drawn) < exact.max()]
    values = np.concatenate([near, -near, drawn, [0.0, -0.0]]).astype(np.float32)
    codes = chunk(values.view(np.uint8), "f32", {dtype}, Moments())[dtype]
    np.testing.assert_array_equal(codes, nearest_float8(values, dtype))
    kind = {"f8_e4m3fn": torch.float8_e4m3fn, "f8_e5m2": torch.float8_e5m2}[dtype]
    copy = torch.from_numpy(values).to(kind).view(torch.uint8).numpy()
    np.testing.assert_array_equal(codes, copy)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_what_is_too_large_for_8_bits_is_no_number(chunk):
    values = np.array([464.0, 464.1, 480.0, 61439.0, 61440.0, 1e9, np.inf], np.float32)
    found = chunk(values.view(np.uint8), "f32", {"f8_e4m3fn", "f8_e5m2"}, Moments())
    assert found["f8_e4m3fn"].tolist() == [0x7E] + [0x7F] * 6
    assert found["f8_e5m2"][3:].tolist() == [0x7B, 0x7C, 0x7C, 0x7C]


def test_nan_and_overflow_stay_what_they_are():
    values = np.array([np.nan, -np.nan, 1e38, -1e38, 3.4e38], np.float32)
    brain = round_to_bf16(values)
    assert (brain[:2] == 0x7FC0).all()
    assert np.isinf(round_to_f16(values).view(np.float16)[2:]).all()
    found = CHUNKS["compiled"](values.view(np.uint8), "f32", {"bf16"}, Moments())["bf16"]
    np.testing.assert_array_equal(found, brain)


def moments_of(values: np.ndarray) -> tuple[float, float, float, float]:
    """Return norm, mean, standard deviation and excess kurtosis, in long double."""
    wide = values.astype(np.longdouble)
    mean = wide.mean()
    variance = ((wide - mean) ** 2).mean()
    kurtosis = ((wide - mean) ** 4).mean() / variance**2 - 3 if variance else np.nan
    return tuple(map(float, (np.sqrt((wide**2).sum()), mean, np.sqrt(variance), kurtosis)))


def taken_in(chunk, values: np.ndarray, cuts: list[int]) -> Moments:
    moments = Moments()
    for piece in np.split(values, sorted(cuts)):
        if piece.size:
            chunk(np.ascontiguousarray(piece).view(np.uint8), "f32", set(), moments)
    return moments


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@settings(deadline=None)
@given(
    values=arrays.arrays(np.float32, st.integers(1, 60), elements=finite),
    cuts=st.lists(st.integers(0, 60), max_size=3),
)
def test_moments_do_not_depend_on_the_chunks(chunk, values, cuts):
    found = taken_in(chunk, values, cuts)
    norm, mean, std, _ = moments_of(values)
    scale = float(np.abs(values).max())
    assert found.count == values.size
    assert found.norm == pytest.approx(norm, rel=1e-12)
    assert found.mean == pytest.approx(mean, rel=1e-12, abs=1e-14 * scale)
    assert found.std == pytest.approx(std, rel=1e-6, abs=1e-12 * scale)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_moments_of_weights_around_one_keep_their_digits(chunk):
    noise = np.random.default_rng(0).standard_t(8, 100_000)
    values = (1 + 1e-4 * noise).astype(np.float32)
    found = taken_in(chunk, values, [10, 1000, 70_000])
    expected = moments_of(values)
    np.testing.assert_allclose(
        (found.norm, found.mean, found.std, found.kurtosis), expected, rtol=1e-9
    )


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_moments_are_over_the_finite_elements(chunk):
    values = np.array([1, np.nan, 3, np.inf, -np.inf, 5], np.float32)
    found = taken_in(chunk, values, [2])
    assert (found.count, found.nonfinite, found.mean) == (3, 3, 3.0)


def test_what_is_not_finite_in_two_streams_is_added_up():
    one, other = Moments(), Moments()
    one.add(np.array([1.0, np.nan]))
    other.add(np.array([np.inf, -np.inf]))
    one.merge(other)
    assert (one.count, one.nonfinite, one.mean) == (1, 3, 1.0)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_moments_of_chunks_far_apart_are_those_of_the_whole(chunk):
    """Skewed, of unequal length and mean: every term of the formulas counts."""
    values = np.array([0, 0, 1, 5, 2, 8, 2, 9, 9, 30, 31, 31, 37], np.float32)
    found = taken_in(chunk, values, [4, 9])
    expected = moments_of(values)
    np.testing.assert_allclose(
        (found.norm, found.mean, found.std, found.kurtosis), expected, rtol=1e-12
    )
    deviations = values.astype(float) - expected[1]
    assert found.sum3 == pytest.approx((deviations**3).sum(), rel=1e-12)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_equal_elements_have_no_kurtosis(chunk):
    found = taken_in(chunk, np.full(9, 0.25, np.float32), [4])
    assert (found.std, found.kurtosis, found.norm) == (0.0, None, 0.75)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
def test_float64_whose_squares_overflow_are_counted_with_the_infinite(chunk):
    values = np.array([1e308, -1e200, np.inf, 3.0, -4.0, 1e-200])
    moments = Moments()
    chunk(values.view(np.uint8), "f64", set(), moments)
    assert (moments.nonfinite, moments.count, moments.norm) == (3, 3, 5.0)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [1, 255, 256, 257, 1023, 1024, 1300, 70_001])
def test_both_twins_come_to_the_same_bits(dtype, size):
    """A content's norm does not depend on how large the rest of its checkpoint is."""
    draws = np.random.default_rng(size).standard_t(5, size)
    values = draws.astype(np.float32).astype(DTYPES[dtype])
    found = []
    for chunk in CHUNKS.values():
        found.append(Moments())
        chunk(values.view(np.uint8), dtype, set(), found[-1])
    assert found[0] == found[1]


def test_sums_run_in_the_order_that_is_promised():
    """By a slow obvious way, bit for bit: vectors of any width can keep this order."""
    values = np.random.default_rng(0).standard_t(3, 1000).astype(np.float32)
    lanes = [0.0] * LANES
    for place, value in enumerate(values.tolist()):
        lanes[place % LANES] += value
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [low + high for low, high in zip(lanes[:half], lanes[half:], strict=True)]
    for chunk in CHUNKS.values():
        moments = Moments()
        chunk(values.view(np.uint8), "f32", set(), moments)
        assert moments.mean == lanes[0] / values.size


def test_nothing_has_no_moments():
    assert (Moments().norm, Moments().std, Moments().kurtosis) == (0.0, None, None)


def test_code_is_compiled_where_no_cache_can_be_written(monkeypatch):
    plain = numba.njit

    def njit(*given, cache: bool = False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return plain(*given, **options)

    monkeypatch.setattr(numba, "njit", njit)
    assert jit.compiled()(lambda number: number + 1)(1) == 2


def test_compiled_code_is_kept_apart_by_what_it_was_made_from(tmp_path):
    part = ModuleType("part")
    part.__file__ = str(tmp_path / "part.py")
    names = []
    for source in ("x = 1", "x = 2", "x = 1"):
        (tmp_path / "part.py").write_text(source)

        @jit.compiled(part)
        def function(value):
            return value

        names.append(function.py_func.__qualname__)
    assert names[0] == names[2] != names[1]
