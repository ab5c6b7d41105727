"""A component's matrices as a page: neighbours first, then numbers that never hide a gap."""

from dataclasses import replace

import numpy as np

from atlas.basis import page
from atlas.relations import matrix_pages
from atlas.relations.matrices import Matrix


def square(**further: object) -> Matrix:
    """Return three models: a and b the same, c compared with a alone."""
    values = np.array([[0, 0, 1.23456], [0, 0, np.nan], [1.23456, np.nan, 0]])
    same = np.array([[True, True, False], [True, True, False], [False, False, True]])
    ids = ("a", "b", "c")
    matrix = Matrix(ids=ids, labels=ids, values=values, identical=same, component="unet")
    return replace(matrix, **further)


def test_neighbours_come_first_then_all_numbers() -> None:
    title, findings, (nearest, numbers) = matrix_pages.content([square()])
    assert (title, findings) == ("UNet: distances between 3 models", [])
    assert nearest.rows == [
        ["1", "a", "b (=); c (1.235)"],
        ["2", "b", "a (=)"],
        ["3", "c", "a (1.235)"],
    ]
    assert numbers.title == "L2 distance (norm of the weight difference)"
    assert numbers.header == ["", "model", "1", "2", "3"]
    assert numbers.rows[1:] == [["2", "b", "=", "", "–"], ["3", "c", "1.235", "–", ""]]


def test_every_measure_has_its_table() -> None:
    others = [square(measure="cosine"), square(measure="coverage")]
    titles = [part.title for part in matrix_pages.content([square(), *others])[2]]
    assert titles[2:] == [
        "cosine (of the angle between the weights)",
        "Coverage (share of the parameters that was compared)",
    ]


def test_a_model_without_distances_has_no_neighbour() -> None:
    alone = square(values=np.full((3, 3), np.nan), identical=np.zeros((3, 3), bool))
    nearest = matrix_pages.content([alone])[2][0]
    assert [row[2] for row in nearest.rows] == ["–"] * 3


def test_of_many_models_the_neighbours_are_told_and_where_the_numbers_are() -> None:
    ids = tuple(f"m{number:03d}" for number in range(232))
    places = np.arange(232.0)
    many = Matrix(
        ids=ids,
        labels=ids,
        values=np.abs(places[:, None] - places),
        identical=np.eye(232, dtype=bool),
        component="vae",
    )
    title, findings, sections = matrix_pages.content([many])
    assert findings == ["vae.l2.csv and beside it have all 232 rows."]
    assert sections[0].rows[0] == ["1", "m000", "m001 (1); m002 (2); m003 (3)"]
    assert len(page.html(title, findings, sections)) < 50_000
