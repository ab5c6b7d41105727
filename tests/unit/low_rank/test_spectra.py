"""Singular values by Gram matrices and at random, against the decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.low_rank import spectra


@pytest.mark.parametrize("shape", [(20, 70), (70, 20), (30, 30)])
def test_all_values_are_those_of_the_decomposition(shape, monkeypatch):
    monkeypatch.setattr(spectra, "COLUMNS_BYTES", 2000)  # several columns at a time
    matrix = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    expected = np.linalg.svd(matrix.astype(float), compute_uv=False)
    np.testing.assert_allclose(spectra.all_of(matrix, 1.0), expected, rtol=1e-10)


def test_what_the_gram_matrix_cancels_is_resolved_where_it_matters():
    generator = np.random.default_rng(0)
    left, right = (np.linalg.qr(generator.standard_normal((40, 40)))[0] for _ in range(2))
    expected = np.geomspace(1, 1e-11, 40)
    matrix = (left * expected) @ right
    found = spectra.all_of(matrix, 1e-10)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    rough = spectra.all_of(matrix, 1e-5)
    assert abs(rough[-1] / expected[-1] - 1) > 0.1


@pytest.mark.parametrize("shape", [(60, 200), (200, 60), (20, 30)])
def test_leading_values_stand_out_exactly(shape):
    generator = np.random.default_rng(0)
    low = generator.standard_normal((shape[0], 5)) @ generator.standard_normal((5, shape[1]))
    matrix = low + 1e-3 * generator.standard_normal(shape)
    left, values, right = spectra.leading(matrix, 8)
    expected = np.linalg.svd(matrix, compute_uv=False)
    np.testing.assert_allclose(values[:5], expected[:5], rtol=1e-9)
    assert (values[5:] <= expected[5:8] * (1 + 1e-12)).all()
    kept = (left[:, :5] * values[:5]) @ right[:5]
    assert np.linalg.norm(matrix - kept, 2) == pytest.approx(expected[5], rel=1e-3)


def test_the_same_seed_gives_the_same_bits():
    matrix = np.random.default_rng(0).standard_normal((60, 90))
    for one, other in zip(spectra.leading(matrix, 9), spectra.leading(matrix, 9), strict=True):
        np.testing.assert_array_equal(one, other)
