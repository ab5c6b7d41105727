"""Vocabularies compared: planted rows of every kind, and slow obvious sums."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from atlas.basis.errors import AtlasError
from atlas.embeddings import vocabulary
from atlas.embeddings.token_tables import TokenTable, of_tensor
from atlas.embeddings.vocabulary import SCHEMA, STATUSES, Comparison, compare
from stored import DTYPES, checkpoint

NAME = "text_encoder/text_model.embeddings.token_embedding.weight"
ROWS, WIDTH = 400, 96
TRAINED = np.arange(ROWS) % 3 == 0


@pytest.fixture
def tables(tmp_path):
    """Put arrays into files as tables."""
    made = 0

    def make(array: np.ndarray, label: str) -> TokenTable:
        nonlocal made
        made += 1
        held = checkpoint(tmp_path / str(made), {NAME: array})
        return of_tensor(held.tensors[0], label=label)

    return make


@pytest.fixture
def compared(tables):
    """Compare two arrays."""

    def run(base: np.ndarray, other: np.ndarray, texts=()) -> Comparison:
        return compare(tables(base, "base"), tables(other, "tuned"), texts)

    return run


def embeddings(seed: int = 0, rows: int = ROWS) -> np.ndarray:
    """Return rows of the size of CLIP's."""
    values = np.random.default_rng(seed).standard_normal((rows, WIDTH))
    return (0.014 * values).astype(np.float32)


def as_dtype(array: np.ndarray, name: str) -> np.ndarray:
    return array.astype(DTYPES[name])


def adamw(start: np.ndarray, trained: np.ndarray, *, steps: int, rate: float, decay: float):
    """
    Train rows by AdamW in float32 with made-up gradients, as torch.optim.AdamW steps.

    Decay first, for all rows; then the step of the moments, which are 0 where no gradient was.
    """
    draws = np.random.default_rng(1)
    weights, shape = start.copy(), start[trained].shape
    mean, square = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for step in range(1, steps + 1):
        weights *= np.float32(1 - rate * decay)
        occurs = draws.random((shape[0], 1)) < 0.1
        gradient = np.where(occurs, 1e-3 * draws.standard_normal(shape), 0).astype(np.float32)
        mean += np.float32(0.1) * (gradient - mean)
        square += np.float32(0.001) * (gradient**2 - square)
        slope = np.sqrt(square / np.float32(1 - 0.999**step)) + np.float32(1e-8)
        weights[trained] -= np.float32(rate / (1 - 0.9**step)) * mean / slope
    return weights


def statuses(found: Comparison) -> np.ndarray:
    return np.array(found.rows["status"].to_pylist())


def column(found: Comparison, name: str) -> np.ndarray:
    """Return a column with NaN for null."""
    held = found.rows[name].to_pylist()
    return np.array([np.nan if value is None else value for value in held])


def slow(base: np.ndarray, other: np.ndarray) -> list[dict[str, float]]:
    """Return the numbers of each row, added up exactly one by one."""
    told = []
    for a, b in zip(base.astype(float).tolist(), other.astype(float).tolist(), strict=True):
        distance = math.sqrt(math.fsum((y - x) ** 2 for x, y in zip(a, b, strict=True)))
        aa, bb = (math.fsum(x * x for x in row) for row in (a, b))
        ab = math.fsum(x * y for x, y in zip(a, b, strict=True))
        told.append(
            {
                "distance": distance,
                "relative": distance / math.sqrt(aa),
                "cosine": ab / math.sqrt(aa * bb),
                "scale": ab / aa,
            }
        )
    return told


@pytest.mark.parametrize("kinds", [("f32", "f32"), ("f16", "f32"), ("bf16", "f16"), ("f64", "f64")])
def test_numbers_are_those_of_slow_sums(compared, kinds):
    base = as_dtype(embeddings(), kinds[0])
    other = as_dtype(embeddings() + 0.01 * embeddings(1), kinds[1])
    found = compared(base, other)
    assert found.rows.schema == SCHEMA
    for name in ("distance", "relative", "cosine", "scale"):
        expected = [row[name] for row in slow(base, other)]
        np.testing.assert_allclose(column(found, name), expected, rtol=1e-12)
    assert set(statuses(found)) == {"moved"}


def test_blocks_change_nothing(compared, monkeypatch):
    base, other = embeddings(), embeddings()
    other[::7] *= 1.01
    other[::5] += 1e-3
    whole = compared(base, other)
    monkeypatch.setattr(vocabulary, "BLOCK_ROWS", 37)
    monkeypatch.setattr(vocabulary, "IN_HAND", 5 * WIDTH)
    assert compared(base, other).rows.equals(whole.rows)


def test_equal_tables_are_identical_and_exactly_apart_by_zero(compared):
    found = compared(embeddings(), embeddings())
    assert found.summary.counts == dict.fromkeys(STATUSES, 0) | {"identical": ROWS}
    assert not column(found, "distance").any()
    assert (column(found, "cosine") == 1).all()
    assert found.rows["rank"].to_pylist() == list(range(1, ROWS + 1))
    assert found.summary.factor is None


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_widening_is_identical(compared, kind):
    narrow = as_dtype(embeddings(), kind)
    assert set(statuses(compared(narrow, narrow.astype(np.float32)))) == {"identical"}


def test_moved_and_untouched_rows_are_told_apart(compared):
    other = embeddings()
    other[TRAINED] += embeddings(1)[TRAINED] * 1e-4
    np.testing.assert_array_equal(
        statuses(compared(embeddings(), other)), np.where(TRAINED, "moved", "identical")
    )


@pytest.mark.parametrize("kind", ["f16", "bf16", "f8_e4m3fn", "f8_e5m2"])
@pytest.mark.parametrize("is_base", [False, True])
def test_a_rounded_copy_is_rounded(compared, kind, is_base):
    wide, narrow = embeddings(), as_dtype(embeddings(), kind)
    found = compared(narrow, wide) if is_base else compared(wide, narrow)
    assert set(statuses(found)) == {"rounded"}


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_a_rounded_copy_that_was_stored_wide_is_rounded(compared, kind):
    other = as_dtype(embeddings(), kind).astype(np.float32)
    other[TRAINED] += 1e-3
    np.testing.assert_array_equal(
        statuses(compared(embeddings(), other)), np.where(TRAINED, "moved", "rounded")
    )


def test_one_wrong_element_is_no_rounding(compared):
    other = as_dtype(embeddings(), "f16")
    other[:, -1] = np.nextafter(other[:, -1], np.float16(1))
    assert set(statuses(compared(embeddings(), other))) == {"moved"}


@pytest.mark.parametrize("factor", [0.9, 0.99, 0.9999, 1 - 1e-6, 1.001])
@pytest.mark.parametrize("kind", ["f32", "f64", "f16", "bf16"])
def test_a_scaled_table_is_shrunk_by_its_factor(compared, factor, kind):
    base = embeddings().astype(np.float64 if kind == "f64" else np.float32)
    other = as_dtype(base * base.dtype.type(factor), kind)
    other[TRAINED] += DTYPES[kind].type(0.05)
    found = compared(base, other)
    assert (statuses(found)[TRAINED] == "moved").all()
    rest = set(statuses(found)[~TRAINED])
    unit = 2.0 ** -vocabulary.PRECISION[kind]
    # far below a unit in the last place, few elements of 96 are stored as another number, or none
    assert rest == {"shrunk"} or (rest == {"shrunk", "rounded"} and 1 - factor < unit / 8)
    rounding = unit / math.sqrt(WIDTH)
    used = float(base.dtype.type(factor))
    assert found.summary.factor.value == pytest.approx(used, abs=rounding)


@pytest.mark.parametrize(
    ("rate", "decay"),
    [(1e-3, 1e-2), (1e-4, 1e-2), (1e-5, 1e-2), (1e-6, 0.1), (5e-6, 1e-2)],
)
@pytest.mark.parametrize("stored", ["f32", "f16", "bf16"])
def test_rows_without_gradients_are_shrunk_and_the_others_moved(compared, rate, decay, stored):
    base = embeddings()
    tuned = adamw(base, TRAINED, steps=500, rate=rate, decay=decay)
    found = compared(base, as_dtype(tuned, stored))
    assert (statuses(found)[TRAINED] == "moved").all()
    rest = statuses(found)[~TRAINED]
    assert set(rest) <= {"shrunk", "rounded"}
    if stored == "f32":
        assert set(rest) == {"shrunk"}
    size = np.abs(tuned[~TRAINED] / base[~TRAINED].astype(float))
    assert size.min() - 1e-4 <= found.summary.factor.value <= size.max() + 1e-4


@pytest.mark.parametrize("stored", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("rate", [1e-3, 3e-5])
def test_the_optimiser_itself_on_a_schedule_with_warm_up(compared, rate, stored):
    base, trained = embeddings(), torch.from_numpy(TRAINED)
    weights = torch.nn.Parameter(torch.from_numpy(base.copy()))
    optimiser = torch.optim.AdamW([weights], lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=300)
    draws = torch.Generator().manual_seed(0)
    for _ in range(300):
        weights.grad = torch.zeros_like(weights)
        weights.grad[trained] = torch.randn(weights[trained].shape, generator=draws)
        optimiser.step()
        schedule.step()
    found = compared(base, as_dtype(weights.detach().numpy(), stored))
    np.testing.assert_array_equal(statuses(found) == "moved", TRAINED)
    assert set(statuses(found)[~TRAINED]) <= {"shrunk", "rounded"}
    assert found.summary.factor.value < 1


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_decay_between_two_narrow_copies_is_shrunk(compared, kind):
    base = embeddings()
    tuned = adamw(base, TRAINED, steps=300, rate=1e-3, decay=1e-2)
    found = compared(as_dtype(base, kind), as_dtype(tuned, kind))
    np.testing.assert_array_equal(statuses(found), np.where(TRAINED, "moved", "shrunk"))
    assert found.summary.factor.value == pytest.approx((1 - 1e-5) ** 300, abs=2e-4)


def test_steps_below_the_unit_roundoff_leave_rows_identical(compared):
    base = embeddings()
    tuned = adamw(base, TRAINED, steps=200, rate=1e-6, decay=1e-2)
    np.testing.assert_array_equal(
        statuses(compared(base, tuned)), np.where(TRAINED, "moved", "identical")
    )


def test_no_element_strays_further_than_the_decay_took_it(compared):
    """The bound of the module, at the rate where every step is rounded the same way."""
    base = np.linspace(1, 2, ROWS * WIDTH, endpoint=False, dtype=np.float32).reshape(ROWS, WIDTH)
    factor = np.float32(1 - 2.0**-24)
    tuned = base.copy()
    for _ in range(1000):
        tuned *= factor
    lost = -1000 * math.log(float(factor))
    strays = np.abs(tuned / (base.astype(float) * math.exp(-lost)) - 1)
    assert 0.9 * lost < strays.max() <= lost * (1 + 1e-3)
    assert set(statuses(compared(base, tuned))) == {"shrunk"}


def test_a_narrow_dtype_hides_no_more_than_the_decay(compared):
    base = embeddings()
    noise = np.random.default_rng(4).uniform(-9e-4, 9e-4, base.shape)
    noise[~TRAINED] = 0
    other = (base * (1 - 2e-5 + noise)).astype(np.float32)
    found = compared(base, as_dtype(other, "bf16"))
    assert set(statuses(found)[TRAINED]) == {"moved"}
    assert set(statuses(found)[~TRAINED]) <= {"shrunk", "rounded"}


def test_rows_of_few_numbers_tell_no_common_factor(compared):
    draws = np.random.default_rng(5)
    base = draws.standard_normal((50, 2)).astype(np.float32)
    other = base * draws.uniform(0.95, 0.98, (50, 1)).astype(np.float32)
    found = compared(base, as_dtype(other, "bf16"))
    assert found.summary.factor is None
    assert set(statuses(found)) == {"moved"}


def test_a_merge_of_decayed_and_base_is_shrunk_by_the_mean(compared):
    base = embeddings()
    tuned = adamw(base, TRAINED, steps=200, rate=1e-3, decay=1e-2)
    merged = np.float32(0.7) * base + np.float32(0.3) * tuned
    found = compared(base, merged)
    np.testing.assert_array_equal(statuses(found), np.where(TRAINED, "moved", "shrunk"))
    expected = 0.7 + 0.3 * (1 - 1e-5) ** 200
    assert found.summary.factor.value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["f32", "f16"])
def test_a_merge_of_equal_rows_is_arithmetic(compared, kind):
    base, tuned = embeddings(), embeddings()
    tuned[TRAINED] += 1e-3
    merged = as_dtype(np.float32(0.7) * base + np.float32(0.3) * tuned, kind)
    found = compared(base, merged)
    assert (statuses(found)[TRAINED] == "moved").all()
    assert set(statuses(found)[~TRAINED]) <= {"rounded", "identical"}
    assert found.summary.factor is None


@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("kinds", [("f32", "f32"), ("f32", "f16"), ("f16", "f16")])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_rows_that_moved_every_which_way_have_no_common_factor(compared, noise, kinds, share):
    draws = np.random.default_rng(2).standard_normal((ROWS, WIDTH)) * noise
    other = np.float32(share) * embeddings() + draws.astype(np.float32)
    found = compared(as_dtype(embeddings(), kinds[0]), as_dtype(other, kinds[1]))
    if share == 1.0 or noise == 1e-3:
        assert found.summary.factor is None
        assert found.summary.counts["shrunk"] == 0
    else:
        assert found.summary.factor.value == pytest.approx(0.5, rel=1e-3)


def test_own_is_the_move_beyond_the_shrinking_and_ranks(compared):
    base = embeddings()
    other = base * np.float32(0.98)
    other[7] += embeddings(1)[7] * 0.01
    other[3] += embeddings(1)[3] * 0.1
    found = compared(base, other)
    factor = found.summary.factor.value
    expected = np.linalg.norm(other.astype(float) - factor * base.astype(float), axis=1)
    np.testing.assert_allclose(column(found, "own"), expected, rtol=1e-6, atol=1e-10)
    assert found.rows["rank"][3].as_py() == 1
    assert found.rows["rank"][7].as_py() == 2
    assert np.median(column(found, "relative")) == pytest.approx(0.02, rel=1e-3)


def test_equal_moves_are_ranked_by_id(compared):
    base = np.tile(np.arange(1, 17, dtype=np.float32), (5, 1))
    other = base.copy()
    other[[1, 3]] += 1
    assert compared(base, other).rows["rank"].to_pylist() == [3, 1, 4, 2, 5]


def test_rows_with_nan_or_infinities_get_no_number(compared):
    base, other = embeddings(), embeddings()
    base[2, 5] = other[2, 5] = np.nan
    other[4, 0] = np.inf
    base[6, -1] = -np.inf
    found = compared(base, other)
    assert np.flatnonzero(statuses(found) == "nonfinite").tolist() == [2, 4, 6]
    for name in ("distance", "relative", "cosine", "scale", "own", "rank"):
        assert np.flatnonzero(np.isnan(column(found, name))).tolist() == [2, 4, 6]
    assert found.summary.largest == 0


def test_rows_of_zeros_have_no_angle(compared):
    base, other = embeddings(), embeddings()
    base[:2] = 0
    other[1:3] = 0
    found = compared(base, other)
    assert statuses(found)[:3].tolist() == ["moved", "identical", "moved"]
    head = found.rows.slice(0, 3).to_pylist()
    assert [row["relative"] for row in head] == [None, None, 1.0]
    assert [row["cosine"] for row in head] == [None] * 3
    assert [row["scale"] for row in head] == [None, None, 0.0]
    assert head[0]["distance"] == pytest.approx(np.linalg.norm(other[0].astype(float)))


def test_the_sign_of_a_zero_is_rounding(compared):
    base, other = embeddings(), embeddings()
    base[0, 0], other[0, 0] = 0.0, -0.0
    assert statuses(compared(base, other))[0] == "rounded"


def test_only_common_ids_are_compared(compared):
    found = compared(embeddings(), embeddings(rows=ROWS + 2), texts=["a", "b"])
    assert found.rows.num_rows == found.summary.compared == ROWS
    assert (found.summary.only_base, found.summary.only_other) == (0, 2)
    assert found.rows["text"].to_pylist()[:3] == ["a", "b", None]
    assert "the last 2 tokens of tuned are not compared" in found.summary.sentence()


def test_a_summary_tells_the_moves(compared):
    other = embeddings()
    other[:100] *= 1.5
    other[0] = embeddings()[0] * 3
    summary = compared(embeddings(), other).summary
    assert summary.median == 0
    assert summary.ninety_percent == pytest.approx(0.5)
    assert summary.largest == pytest.approx(2.0)
    assert summary.sentence().startswith("tuned against base: of 400 tokens 300 identical, ")


def test_other_widths_are_refused(compared):
    with pytest.raises(AtlasError, match="base and tuned: token embeddings of 96 and 95 numbers"):
        compared(embeddings(), embeddings()[:, 1:])
    with pytest.raises(AtlasError, match="no token embeddings to compare"):
        compared(embeddings(rows=0), embeddings())


FINITE = st.floats(-8, 8, width=16)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=arrays.arrays(np.float16, (6, 9), elements=FINITE),
    other=arrays.arrays(np.float16, (6, 9), elements=FINITE),
)
def test_any_rows_keep_the_laws(compared, base, other):
    there, back = compared(base, other), compared(other, base)
    assert column(there, "distance").tolist() == column(back, "distance").tolist()
    alike = (base.view(np.uint16) == other.view(np.uint16)).all(axis=1)
    np.testing.assert_array_equal(statuses(there) == "identical", alike)
    assert sorted(there.rows["rank"].to_pylist()) == list(range(1, 7))
    own = column(there, "own")[np.argsort(column(there, "rank"))]
    assert (np.diff(own) <= 0).all()
    assert sum(there.summary.counts.values()) == 6
    for name in ("relative", "cosine", "scale"):
        known = (base != 0).any(axis=1) & ((name != "cosine") | (other != 0).any(axis=1))
        np.testing.assert_array_equal(np.isfinite(column(there, name)), known)


def test_bfloat16_rows_keep_their_range(compared):
    """Values beyond float16's range, whose rounding there is infinite, are still compared."""
    base = np.full((4, 16), 3e38, ml_dtypes.bfloat16)
    found = compared(base, (base.astype(np.float32) * np.float32(0.5)).astype(ml_dtypes.bfloat16))
    assert set(statuses(found)) == {"shrunk"}
    assert isinstance(found.rows, pa.Table)
    np.testing.assert_allclose(column(found, "relative"), 0.5)
