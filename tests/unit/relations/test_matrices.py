"""Matrices come out of their CSV as they went in, and bad files are named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from atlas.basis.errors import AtlasError
from atlas.relations import matrices
from synthetic_families import family, matrix_of

DISTANCE = st.floats(min_value=0.0, allow_infinity=False) | st.just(float("nan"))


def read_back(matrix, path):
    matrices.write(matrix, path)
    labels = dict(zip(matrix.ids, matrix.labels, strict=True))
    return matrices.read(path, component="unet", measure=matrix.measure, labels=labels)


@settings(deadline=None)
@given(arrays(np.float64, (4, 4), elements=DISTANCE))
def test_every_value_survives_the_csv(tmp_path_factory, square):
    values = np.triu(square, 1) + np.triu(square, 1).T
    back = read_back(matrix_of(values), tmp_path_factory.mktemp("csv") / "unet.l2.csv")
    assert np.array_equal(back.values, values, equal_nan=True)


def test_labels_and_identity_survive_the_csv(tmp_path):
    matrix = family(12, copies=3, apart=2)
    back = read_back(matrix, tmp_path / "unet.l2.csv")
    assert back.ids == matrix.ids
    assert back.labels == matrix.labels
    assert np.array_equal(back.identical, matrix.identical)


def test_only_identical_models_have_a_bare_zero(tmp_path):
    values = np.array([[0.0, 0.0, np.nan], [0.0, 0.0, 2.5], [np.nan, 2.5, 0.0]])
    path = tmp_path / "unet.l2.csv"
    matrices.write(matrix_of(values), path)
    assert path.read_text() == "model,m-0,m-1,m-2\nm-0,0,0.0,\nm-1,0.0,0,2.5\nm-2,,2.5,0\n"
    assert not read_back(matrix_of(values), path).identical[0, 1]


def test_identical_models_have_cosine_one(tmp_path):
    matrix = matrix_of([[1.0, 0.25], [0.25, 1.0]], measure="cosine")
    back = read_back(matrix, tmp_path / "unet.cosine.csv")
    assert np.array_equal(back.identical, np.eye(2, dtype=bool))
    assert np.array_equal(back.values, matrix.values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no matrix"),
        ("model,a,b\na,0,1.5\n", "same models in the same order"),
        ("model,a,b\nb,0,1.5\na,1.5,0\n", "same models in the same order"),
        ("model,a,a\na,0,1.5\na,1.5,0\n", "a is listed twice"),
        ("model,a,b\na,0\nb,1.5,0\n", "line 2"),
        ("model,a,b\na,0,far\nb,far,0\n", "'far' is no number"),
        ("model,a,b\na,0,inf\nb,inf,0\n", "leave a cell empty"),
        ("model,a,b\na,0,1.5\nb,1.25,0\n", "a to b is 1.5, but back it is 1.25"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path, text, says):
    path = tmp_path / "unet.l2.csv"
    path.write_text(text)
    with pytest.raises(AtlasError, match=says) as error:
        matrices.read(path, component="unet", measure="l2")
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AtlasError, match=r"absent\.csv"):
        matrices.read(tmp_path / "absent.csv", component="unet", measure="l2")


def test_an_absent_base_is_an_error_with_the_nearest_name():
    with pytest.raises(AtlasError, match="did you mean m-1"):
        matrix_of(np.zeros((2, 2)), base="m-11")


def test_models_compared_with_nothing_are_found():
    assert matrix_of(family(6).values).compared().all()
    values = family(6).values.copy()
    values[2], values[:, 2] = np.nan, np.nan
    assert np.flatnonzero(~matrix_of(values).compared()).tolist() == [2]
