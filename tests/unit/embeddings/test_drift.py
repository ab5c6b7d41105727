"""How far words moved: exact zeros, tiny moves, ranks, and how a list lies."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.embeddings import axes, drift
from atlas.embeddings.spaces import Holder, Space
from atlas.embeddings.word_lists import ALONE, SENTENCE, Row

BASE = np.random.default_rng(0).standard_normal((6, 9)).astype(np.float32)
ROWS = [
    Row(word, "", variant, f"{variant} {word}")
    for word in ("cat", "dog", "red")
    for variant in (ALONE, SENTENCE)
]


def space(**others: np.ndarray) -> Space:
    """Return a space of the base, held by two models, and others."""
    holders = [Holder("0", ("base", "copy")), *(Holder(name, (name,)) for name in others)]
    return Space("text_encoder", "pooled", tuple(holders), (BASE, *others.values()))


def test_drift_is_one_minus_the_cosine():
    moved = BASE + np.random.default_rng(1).standard_normal(BASE.shape).astype(np.float32)
    found = drift.drift(moved, BASE)
    a, b = moved.astype(np.float64), BASE.astype(np.float64)
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(found.cosine, 1 - cosine, atol=1e-14)
    np.testing.assert_allclose(found.distance, np.linalg.norm(a - b, axis=1))


def test_equal_vectors_did_not_move_and_the_smallest_move_is_told():
    moved = BASE.copy()
    moved[0, 0] = np.nextafter(moved[0, 0], np.float32(9))
    found = drift.drift(moved, BASE)
    assert found.cosine[0] > 0
    assert (found.cosine[1:] == 0).all()
    assert (found.distance[1:] == 0).all()


def test_a_copy_moved_nowhere_and_ranks_count_alike_texts():
    moved = BASE.copy()
    moved[2] += 1  # dog alone
    moved[5] += 2  # red in a sentence
    table = drift.drift_table(space(tuned=moved), ROWS)
    copy = table[table["model"] == "copy"]
    assert (copy[["cosine_distance", "distance", "aligned_distance"]] == 0).all(axis=None)
    tuned = table[table["model"] == "tuned"].set_index("text")
    assert tuned.loc["alone dog", "rank"] == 1
    assert tuned.loc["sentence red", "rank"] == 1
    assert set(table["base"]) == {"base"}
    assert "base" not in set(table["model"])


def test_a_turned_space_drifts_as_it_is_and_not_aligned():
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((9, 9)))[0]
    turned = (BASE @ turn).astype(np.float32)
    table = drift.drift_table(space(turned=turned), ROWS)
    of_it = table[table["model"] == "turned"]
    assert of_it["distance"].min() > 0.5
    assert of_it["aligned_distance"].max() < 1e-5
    rows = drift.summary_rows(space(turned=turned), ROWS)
    row = next(each for each in rows if each["model"] == "turned")
    assert row["aligned_relative"] < 1e-5 < 0.1 < row["relative"]


def test_extent_by_its_definitions():
    found = drift.extent(BASE)
    wide = BASE.astype(np.float64)
    radii = [np.linalg.norm(row - wide.mean(axis=0)) for row in wide]
    assert found.radius == pytest.approx(np.mean(radii))
    assert found.spread == pytest.approx(np.sqrt(np.mean(np.square(radii))))
    assert found.largest == max(np.linalg.norm(a - b) for a in wide for b in wide)


def test_the_summary_says_who_is_the_same():
    rows = {row["model"]: row for row in drift.summary_rows(space(tuned=BASE + 1), ROWS)}
    assert [rows[name]["same_as"] for name in ("base", "copy", "tuned")] == ["", "base", ""]
    assert rows["copy"]["cosine_distance"] == rows["copy"]["aligned_relative"] == 0


def test_an_axis_has_its_ends_at_minus_one_and_one():
    found = axes.scores(BASE, BASE[0], BASE[1])
    assert found[:2] == pytest.approx([-1, 1])
    middle = (BASE[:1] + BASE[1:2]) / 2
    assert axes.scores(middle, BASE[0], BASE[1]) == pytest.approx([0], abs=1e-6)
    beside = BASE[:1] + np.linalg.svd(BASE[1:2] - BASE[:1])[2][-1].astype(np.float32)
    assert axes.scores(beside, BASE[0], BASE[1]) == pytest.approx([-1], abs=1e-5)
    assert np.isnan(axes.scores(BASE, BASE[0], BASE[0])).all()


def test_the_table_of_axes_leaves_its_own_words_out():
    rows = [Row(word, "", ALONE, word) for word in ("a", "b", "c", "d", "e", "f")]
    table = axes.table(space(tuned=BASE + 1), rows, [("a", "b")])
    assert set(table["model"]) == {"base", "copy", "tuned"}
    assert set(table["text"]) == {"c", "d", "e", "f"}
    assert list(table.columns) == axes.COLUMNS
