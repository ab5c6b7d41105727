"""Alignment knows the same, the turned and the scaled, and independence gives its null."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.projection import alignment as module
from atlas.projection.alignment import (
    alignment,
    alignments,
    mutual_neighbours,
    mutual_null,
    null_spread,
)
from atlas.projection.neighbours import nearest
from watched_rows import WatchedRows, peak_of

MEMORY = 1 << 20


def normal(samples, features, seed=0):
    return np.random.default_rng(seed).normal(size=(samples, features)).astype(np.float32)


def related(samples, features, to, share=0.5):
    """Rows that hold a part of other rows' first three features."""
    mixing = np.random.default_rng(9).normal(size=(3, features))
    rows = share * to[:, :3] @ mixing + normal(samples, features, 8)
    return rows.astype(np.float32)


def obvious(first, second):
    """Return unbiased and biased CKA, word by word from their definitions."""
    count = len(first)
    grams = [rows.astype(np.float64) @ rows.astype(np.float64).T for rows in (first, second)]
    ones = np.ones(count)

    def hsic(one, other):
        k, l = (gram - np.diag(np.diag(gram)) for gram in (one, other))  # noqa: E741
        means = (ones @ k @ ones) * (ones @ l @ ones) / ((count - 1) * (count - 2))
        mixed = 2 / (count - 2) * (ones @ k @ l @ ones)
        return (np.trace(k @ l) + means - mixed) / (count * (count - 3))

    centring = np.eye(count) - 1 / count
    k, l = (centring @ gram @ centring for gram in grams)  # noqa: E741
    unbiased = hsic(*grams) / np.sqrt(hsic(grams[0], grams[0]) * hsic(grams[1], grams[1]))
    return unbiased, (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())


@pytest.fixture(params=["features", "samples"])
def route(request, monkeypatch):
    by_features = request.param == "features"
    monkeypatch.setattr(module, "_is_by_features", lambda *_: by_features)
    return request.param


@pytest.mark.parametrize("shapes", [(50, 8, 8), (200, 30, 5), (40, 100, 70), (4, 3, 3)])
@pytest.mark.usefixtures("route")
def test_both_routes_give_what_the_definitions_say(shapes):
    samples, one, other = shapes
    first = normal(samples, one)
    second = related(samples, other, first) + np.float32(3)
    found = alignment(first, second, memory_bytes=MEMORY)
    assert (found.unbiased, found.biased) == pytest.approx(obvious(first, second), rel=1e-5)
    assert (found.samples, found.features) == (samples, (one, other))


@pytest.mark.usefixtures("route")
def test_a_large_common_offset_costs_no_digits():
    """It does where the definitions are taken at their word, so here they get centred rows."""
    first = normal(100, 30)
    second = related(100, 20, first) + np.float32(1e4)
    centred = second - second.mean(axis=0, dtype=np.float64)
    found = alignment(first, second, memory_bytes=MEMORY)
    assert (found.unbiased, found.biased) == pytest.approx(obvious(first, centred), rel=1e-5)


def test_the_route_is_the_one_with_fewer_products():
    chosen = [
        module._is_by_features([[module._side(normal(*shape), MEMORY, "mid")]] * 2, memory)
        for shape, memory in (((300, 10), MEMORY), ((10, 300), MEMORY), ((3000, 500), MEMORY))
    ]
    assert chosen == [True, False, False]  # the last one's (500, 500) products take too much


@pytest.mark.parametrize("shape", [(60, 10), (60, 400), (500, 20)])
def test_itself_turned_and_scaled_is_1(shape):
    rows = normal(*shape) * np.linspace(0.1, 2, shape[1], dtype=np.float32)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(shape[1],) * 2))[0]
    for other in (rows, rows @ turn * 1e-3, -1e3 * rows + 7):
        found = alignment(rows, other.astype(np.float32), memory_bytes=MEMORY)
        assert found.unbiased == pytest.approx(1, abs=1e-5)
        assert found.biased == pytest.approx(1, abs=1e-5)


def test_stretching_one_axis_is_no_scaling():
    rows = normal(100, 10)
    stretched = rows * np.float32([9] + [1] * 9)
    assert alignment(rows, stretched, memory_bytes=MEMORY).unbiased < 0.9


@pytest.mark.parametrize("features", [5, 100, 3000])
def test_independent_rows_are_at_the_null_however_wide(features):
    values, nulls = [], []
    for seed in range(20):
        pair = normal(60, features, 2 * seed), normal(60, features, 2 * seed + 1)
        found = alignment(*pair, memory_bytes=4 * MEMORY)
        values.append(found.unbiased)
        nulls.append((found.biased, found.biased_null))
    assert np.abs(values).max() < 5 * null_spread(60)
    assert abs(np.mean(values)) < 4 * null_spread(60) / 20**0.5
    biased, expected = np.mean(nulls, axis=0)
    assert biased == pytest.approx(expected, abs=4 * null_spread(60) / 20**0.5)
    if features == 3000:
        assert biased > 0.95  # of nothing: why the unbiased one is shown


@pytest.mark.parametrize("shapes", [(12, 40, 3), (30, 4, 4)])
def test_the_nulls_are_those_of_shuffled_samples(shapes):
    """Of data that are all but independent: shuffling is what makes them so."""
    samples, one, other = shapes
    first = normal(samples, one)
    second = related(samples, other, first, share=3)
    generator = np.random.default_rng(0)
    drawn = [obvious(first, second[generator.permutation(samples)]) for _ in range(4000)]
    unbiased, biased = np.transpose(drawn)
    found = alignment(first, second, memory_bytes=MEMORY)
    assert found.null_spread == pytest.approx(unbiased.std(), rel=0.08)
    assert abs(unbiased.mean()) < 4 * found.null_spread / 4000**0.5
    assert found.biased_null == pytest.approx(biased.mean(), rel=0.02)


@pytest.mark.usefixtures("route")
def test_a_constant_representation_has_no_alignment():
    found = alignment(normal(20, 4), np.ones((20, 3), np.float32), memory_bytes=MEMORY)
    assert np.isnan([found.unbiased, found.biased, found.biased_null]).all()


@pytest.mark.usefixtures("route")
def test_layers_against_layers_are_their_pairs():
    first = [normal(80, 5), normal(80, 40, 1)]
    second = [related(80, 30, first[0]), first[1], np.zeros((80, 2), np.float16)]
    found = alignments(first, second, memory_bytes=MEMORY)
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            alone = alignment(one, other, memory_bytes=MEMORY)
            assert found[row][column].unbiased == pytest.approx(alone.unbiased, nan_ok=True)
            assert found[row][column].biased == pytest.approx(alone.biased, nan_ok=True)


def test_huge_values_do_not_overflow():
    rows = normal(50, 60)
    other = related(50, 60, rows)
    usual, huge = (
        alignment(rows * np.float32(size), other, memory_bytes=MEMORY) for size in (1, 1e19)
    )
    assert huge.unbiased == pytest.approx(usual.unbiased, rel=1e-5)


@pytest.mark.parametrize("shape", [(2000, 150), (300, 4000)])
def test_memory_is_bounded(shape):
    rows, other = (WatchedRows(normal(*shape, seed).astype(np.float16)) for seed in (0, 1))
    setting = 4 << 20
    _, peak = peak_of(lambda: alignment(rows, other, memory_bytes=setting))
    assert peak < setting + 1_000_000
    assert rows.most_at_once * shape[1] * 8 < setting


@pytest.mark.parametrize(
    ("counts", "told"), [((5, 6), "same samples .* 5 and 6"), ((3, 3), "4 samples or more, not 3")]
)
def test_what_can_not_be_compared_is_refused(counts, told):
    with pytest.raises(AtlasError, match=told):
        alignment(*(normal(count, 2) for count in counts), memory_bytes=MEMORY)


def test_mutual_neighbours_of_the_same_the_turned_and_the_independent():
    rows = normal(200, 10)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(10, 10)))[0].astype(np.float32)
    found, turned, other = (
        nearest(x, k=8, memory_bytes=MEMORY) for x in (rows, rows @ turn, normal(200, 10, 5))
    )
    assert mutual_neighbours(found, found) == 1
    assert mutual_neighbours(found, turned) > 0.99
    null = mutual_null(found, other)
    assert null.mean == pytest.approx(8 / 199)
    assert abs(mutual_neighbours(found, other) - null.mean) < 4 * null.spread


def test_mutual_neighbours_are_counted_by_sample():
    one = nearest(np.float32([[0], [1], [3], [7]]), k=2, memory_bytes=MEMORY)
    other = nearest(np.float32([[0], [1], [3], [-4]]), k=2, memory_bytes=MEMORY)
    common = [len({*a} & {*b}) for a, b in zip(one.indices, other.indices, strict=True)]
    assert common != [2, 2, 2, 2]
    assert mutual_neighbours(one, other) == sum(common) / 8


def test_other_samples_or_another_k_are_refused():
    one, other = (nearest(normal(20, 3), k=k, memory_bytes=MEMORY) for k in (3, 4))
    with pytest.raises(AtlasError, match="3 of 20 samples on one side, 4 of 20 samples"):
        mutual_neighbours(one, other)


def test_without_neighbours_there_is_nothing_to_share():
    none = nearest(normal(1, 3), k=3, memory_bytes=MEMORY)
    assert np.isnan(mutual_neighbours(none, none))
    assert np.isnan(mutual_null(none, none).mean)
