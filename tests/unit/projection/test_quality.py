"""Purity, correlation and stability find what is there, and fall to chance where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from atlas.basis.errors import AtlasError
from atlas.projection.neighbours import nearest
from atlas.projection.quality import LEADING, correlations, kept, purity, stability

MEMORY = 1 << 20


@pytest.fixture(scope="module")
def classes():
    """Three classes of 150 samples, and their neighbours."""
    generator = np.random.default_rng(0)
    labels = generator.choice(["a", "b", "c"], 150, p=[0.6, 0.3, 0.1])
    rows = generator.normal(size=(150, 6)) + 4 * (labels[:, None] == ["a", "b", "c"] * 2)
    return labels, nearest(rows.astype(np.float32), k=8, memory_bytes=MEMORY)


def test_purity_is_the_share_of_neighbours_with_the_same_label(classes):
    labels, found = classes
    by_hand = np.mean(
        [labels[near] == label for near, label in zip(found.indices, labels, strict=True)]
    )
    line = purity(found, labels, of="map: class")
    assert line.value == pytest.approx(by_hand)
    assert by_hand > 0.9
    assert (line.measure, line.of, line.note) == ("purity", "map: class", "k = 8, 3 labels")


def test_shuffled_labels_fall_to_chance(classes):
    labels, found = classes
    generator = np.random.default_rng(1)
    lines = [purity(found, generator.permutation(labels), of="class") for _ in range(400)]
    values = np.array([line.value for line in lines])
    chance, spread = lines[0].chance, lines[0].spread
    assert chance == pytest.approx(0.6**2 + 0.3**2 + 0.1**2, abs=0.05)
    assert values.mean() == pytest.approx(chance, abs=4 * spread / 20)
    assert values.std() == pytest.approx(spread, rel=0.15)
    assert purity(found, labels, of="class").value > chance + 10 * spread


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_samples_without_a_label_are_left_out(classes, missing):
    labels, found = classes
    some = [missing if place % 5 == 0 else label for place, label in enumerate(labels)]
    has = np.arange(len(labels)) % 5 != 0
    shares = [
        np.mean(labels[near[has[near]]] == labels[sample])
        for sample, near in enumerate(found.indices)
        if has[sample] and has[near].any()
    ]
    line = purity(found, some, of="class")
    assert line.value == pytest.approx(np.mean(shares))
    assert line.note == "k = 8, 3 labels, 30 of 150 samples have none"
    assert np.isnan(line.spread)


def test_no_labels_at_all_have_no_purity(classes):
    line = purity(classes[1], [None] * 150, of="class")
    assert np.isnan([line.value, line.chance]).all()


def test_correlations_are_pearsons_and_spearmans():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(80, 7)).astype(np.float32)
    values = np.exp(scores[:, 1]) + 0.1 * generator.normal(size=80)
    lines = {(line.measure, line.of): line for line in correlations(scores, values, of="noise")}
    assert len(lines) == 2 * LEADING
    expected = np.corrcoef(scores[:, 1], values)[0, 1]
    assert lines["pearson", "PC2: noise"].value == pytest.approx(expected)
    expected = spearmanr(scores[:, 1], values).statistic
    assert lines["spearman", "PC2: noise"].value == pytest.approx(expected)
    assert expected > 0.9


def test_shuffled_numbers_are_correlated_by_chance():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(40, 1))
    drawn = [correlations(scores, generator.permutation(40.0 + np.arange(40)), of="n")[0]
             for _ in range(500)]  # fmt: skip
    values = np.array([line.value for line in drawn])
    assert abs(values.mean()) < 4 * drawn[0].spread / 500**0.5
    assert values.std() == pytest.approx(drawn[0].spread, rel=0.1)


def test_samples_without_a_number_are_left_out():
    scores = np.random.default_rng(0).normal(size=(30, 1))
    values = [None if row % 3 == 0 else float(scores[row, 0]) for row in range(30)]
    values[1] = float("nan")
    line = correlations(scores, values, of="n")[0]
    assert line.value == pytest.approx(1)
    assert line.note == "19 of 30 samples"


@pytest.mark.parametrize("values", [[2.0] * 5, [None] * 5, [1.0] + [None] * 4])
def test_a_constant_or_empty_column_has_no_correlation(values):
    lines = correlations(np.random.default_rng(0).normal(size=(5, 1)), values, of="n")
    assert np.isnan([line.value for line in lines]).all()


def test_stability_is_of_neighbours_whatever_the_places():
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    mirrored = points[:, ::-1] * np.float32([5, -5]) + 3
    other = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)
    line = stability([points, mirrored.copy()], k=10, memory_bytes=MEMORY)
    assert line.value == pytest.approx(1, abs=0.01)
    assert line.chance == pytest.approx(10 / 199)
    chance = stability([points, other], k=10, memory_bytes=MEMORY)
    assert chance.value == pytest.approx(chance.chance, abs=0.02)
    mixed = stability([points, mirrored.copy(), other], k=10, memory_bytes=MEMORY)
    assert mixed.value == pytest.approx((line.value + 2 * chance.value) / 3, abs=0.02)
    assert mixed.note == "k = 10, 3 seeds"


def test_a_map_keeps_what_is_nearest_in_both(classes):
    _, found = classes
    line = kept(found, found)
    assert (line.value, line.chance) == (1, pytest.approx(8 / 149))
    other = np.random.default_rng(3).normal(size=(150, 2)).astype(np.float32)
    line = kept(found, nearest(other, k=8, memory_bytes=MEMORY))
    assert abs(line.value - line.chance) < 4 * line.spread


def test_one_sample_has_no_stability():
    assert np.isnan(stability([np.zeros((1, 2), np.float32)] * 3, k=5, memory_bytes=MEMORY).value)


def test_columns_of_other_samples_are_refused(classes):
    with pytest.raises(AtlasError, match="2 labels of 150 samples"):
        purity(classes[1], ["a", "b"], of="class")
    with pytest.raises(AtlasError, match="2 values of 3 samples"):
        correlations(np.zeros((3, 1)), [1.0, 2.0], of="n")
