"""What rounding leaves, against numpy's spacing, plain and compiled alike."""

from __future__ import annotations

from math import fsum, sqrt

import numpy as np
import pytest

from atlas.fingerprints import fingerprint
from atlas.fingerprints.elements import compiled
from atlas.fingerprints.elements.moments import LANES, Moments
from atlas.fingerprints.elements.rounding import SPACINGS, Rounding
from atlas.fingerprints.fingerprint import plain_chunk
from stored import DTYPES, checkpoint

CHUNKS = {"plain": plain_chunk, "compiled": compiled.CompiledChunks(1 << 17)}
TOP = {
    **dict.fromkeys(("f64", "f32", "bf16"), 2.0**100),
    "f16": 60000.0,
    "f8_e4m3fn": 400.0,
    "f8_e5m2": 50000.0,
}


def drawn(dtype: str, size: int) -> np.ndarray:
    """Return numbers of all sizes that a dtype has, 0 and both least ones among them."""
    generator = np.random.default_rng(size)
    binades = generator.uniform(np.log2(SPACINGS[dtype].least) - 12, np.log2(TOP[dtype]), size)
    if dtype == "f64":
        binades = generator.uniform(-400, 100, size)
    signs = generator.choice([-1.0, 1.0], size)
    values = (signs * 2.0**binades).astype(np.float64)
    values[: size // 3] = generator.standard_normal(size // 3) * 0.03
    values[size // 2] = 0.0
    return values.astype(np.float32 if dtype != "f64" else np.float64).astype(DTYPES[dtype])


def taken_in(chunk, values: np.ndarray, dtype: str, cuts: list[int]) -> Rounding:
    rounding = Rounding(dtype)
    for part in np.split(values, cuts):
        chunk(part.view(np.uint8), dtype, set(), Moments(), None, rounding)
    return rounding


def expected(values: np.ndarray) -> float:
    """Return the norm by the spacing of each finite element."""
    with np.errstate(all="ignore"):
        finite = np.abs(values[np.isfinite(values.astype(np.float64))])
        spacings = np.spacing(finite).astype(np.float64)
    return sqrt(fsum((spacings**2).tolist()) / 12)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("dtype", SPACINGS)
@pytest.mark.parametrize("size", [3, 256, 1300, 20_000])
def test_it_is_the_root_of_the_spacings_squared(chunk, dtype, size):
    values = drawn(dtype, size)
    found = taken_in(chunk, values, dtype, []).norm
    assert found == pytest.approx(expected(values), rel=1e-12)


@pytest.mark.parametrize("dtype", SPACINGS)
@pytest.mark.parametrize("size", [1, 255, 257, 1023, 1024, 1300, 70_001])
def test_both_twins_come_to_the_same_bits_in_any_chunks(dtype, size):
    values = drawn(dtype, size)
    cuts = [place for place in (LANES, 3 * LANES, 10 * LANES) if place < size]
    found = [taken_in(chunk, values, dtype, own) for chunk in CHUNKS.values() for own in ([], cuts)]
    assert len({each.norm for each in found}) == 1
    for each in found:
        np.testing.assert_array_equal(each.lanes, found[0].lanes)


@pytest.mark.parametrize("chunk", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16", "f8_e5m2"])
def test_only_finite_elements_count(chunk, dtype):
    values = np.array([np.nan, 1.0, np.inf, -np.inf, 1.75], DTYPES[dtype])
    spacing = 2.0 ** -SPACINGS[dtype].digits
    assert taken_in(chunk, values, dtype, []).norm == pytest.approx(spacing * sqrt(2 / 12))


@pytest.mark.parametrize(("dtype", "least"), [("f16", -24), ("f32", -149), ("f8_e5m2", -16)])
def test_zeros_are_spaced_as_the_least_numbers(dtype, least):
    found = taken_in(plain_chunk, np.zeros(12, DTYPES[dtype]), dtype, [])
    assert found.norm == 2.0**least


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f8_e4m3fn"])
def test_it_foretells_what_rounding_did(dtype):
    exact = np.random.default_rng(0).standard_normal(200_000) * 0.02
    copy = exact.astype(np.float32).astype(DTYPES[dtype])
    left = np.linalg.norm(copy.astype(np.float64) - exact)
    assert taken_in(plain_chunk, copy, dtype, []).norm == pytest.approx(left, rel=0.02)


def test_a_fingerprint_tells_it_and_has_none_of_integers(tmp_path, monkeypatch):
    arrays = {f"unet/{dtype}": drawn(dtype, 70_001) for dtype in SPACINGS}
    arrays["unet/i64"] = np.arange(5)
    held = checkpoint(tmp_path / "a", arrays)
    for worth in (1 << 60, 0):
        monkeypatch.setattr(fingerprint, "WORTH_COMPILING", worth)
        rows = fingerprint.table(held).select(["name", "rounding"]).to_pylist()
        told = {row["name"]: row["rounding"] for row in rows}
        assert told.pop("unet/i64") is None
        for name, value in told.items():
            assert value == pytest.approx(expected(arrays[name]), rel=1e-12)
