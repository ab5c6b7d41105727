"""Three measures of each two words, against their definitions."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from atlas.embeddings import square_tables
from atlas.embeddings.similarities import MEASURES, similarities
from atlas.embeddings.square_tables import Part
from atlas.embeddings.word_store import Encoded

VECTORS = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32)


def slow(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return the three by their definitions, one number after the other."""
    a, b = (each.astype(np.float64) / np.sqrt(sum(float(v) ** 2 for v in each)) for each in (a, b))
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    return (
        sum(x * y for x, y in pairs),
        sum((x - y) ** 2 for x, y in pairs) ** 0.5,
        sum(abs(x - y) for x, y in pairs),
    )


def test_each_pair_is_as_defined():
    found = similarities(VECTORS)
    for a in range(5):
        for b in range(5):
            told = [getattr(found, measure)[a, b] for measure in MEASURES]
            np.testing.assert_allclose(told, slow(VECTORS[a], VECTORS[b]), atol=1e-12)


def test_equal_vectors_are_exactly_so():
    found = similarities(np.vstack([VECTORS, VECTORS[:1], 3 * VECTORS[:1]]))
    assert found.cosine[0, 5] == 1
    assert found.euclidean[0, 5] == found.manhattan[0, 5] == 0
    assert found.cosine[0, 6] == pytest.approx(1, abs=1e-14)


def test_a_vector_of_no_length_has_no_number():
    found = similarities(np.vstack([VECTORS, np.zeros((1, 7), np.float32)]))
    for measure in MEASURES:
        square = getattr(found, measure)
        assert np.isnan(square[5]).all()
        assert np.isnan(square[:, 5]).all()
        assert np.isfinite(square[:5, :5]).all()


def encoded(form: str) -> Encoded:
    texts = ["cat", "a, b", "dog", "x", "y"]
    return Encoded("content", form, texts, [False] * 5, VECTORS, similarities(VECTORS))


def test_the_wide_table_holds_each_square_with_four_decimals():
    parts = [Part("text_encoder", encoded("pooled")), Part("text_encoder", encoded("last"))]
    lines = list(csv.DictReader(StringIO(square_tables.wide(parts))))
    assert len(lines) == 2 * len(MEASURES) * 5
    square = [line for line in lines if (line["form"], line["measure"]) == ("last", "manhattan")]
    expected = similarities(VECTORS).manhattan
    for row, line in enumerate(square):
        told = [line[text] for text in encoded("last").texts]
        assert told == [f"{value:.4f}" for value in expected[row]]


def test_the_long_table_holds_each_pair_once():
    (table,) = square_tables.long([Part("text_encoder", encoded("pooled"))])
    rows = table.to_pylist()
    assert len({frozenset((row["a"], row["b"])) for row in rows}) == len(rows) == 10
    found = next(row for row in rows if (row["a"], row["b"]) == ("a, b", "x"))
    assert found["cosine"] == pytest.approx(slow(VECTORS[1], VECTORS[3])[0], abs=1e-12)
