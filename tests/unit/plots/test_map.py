"""Maps: every crowd is enlarged, and models on one spot are told."""

import numpy as np
import pytest

from atlas.plots import map
from atlas.plots.parts import MOST, parts_of
from drawn_texts import texts
from synthetic_families import matrix_of

FAR = np.array([[0.0, 0], [400, 0], [0, 300]])


def cluster(count, at, spread, seed=0):
    """Return points around a place."""
    return np.random.default_rng(seed).normal(size=(count, 2)) * spread + at


def mapped(points, **options):
    """Return the texts of the map of points, and each as often as it is there."""
    points = np.asarray(points, dtype=np.float64)
    return texts(map.draw(matrix_of(np.linalg.norm(points[:, None] - points, axis=2), **options)))


def lettered(points):
    """Return each panel's letter, the points labelled in it, and the parts named in it."""
    return [
        (part.letter, set(part.labelled.tolist()), [each.letter for each in part.details])
        for part in parts_of(np.asarray(points, dtype=np.float64))
    ]


@pytest.mark.parametrize("count", [3, 9, 23, 80])
def test_a_crowd_is_enlarged_however_small(count):
    found = lettered(np.vstack([cluster(count, 0, 0.5), FAR[1:]]))
    assert found[0] == ("", {count, count + 1}, ["A"])
    assert set().union(*(labelled for _, labelled, _ in found[1:])) == set(range(count))


def test_every_crowd_has_its_panel_and_every_label_its_place():
    points = np.vstack([cluster(8, FAR[0], 0.3), cluster(6, FAR[1], 0.3), cluster(5, FAR[2], 0.3)])
    found = lettered(points)
    assert [letter for letter, _, _ in found] == ["", "A", "B", "C"]
    assert sorted(len(labelled) for _, labelled, _ in found) == [0, 5, 6, 8]
    drawn = mapped(points)
    assert all(any(text.startswith(f"{letter}, enlarged") for text in drawn) for letter in "ABC")
    assert all(str(number) in drawn for number in range(1, 20))


def test_a_crowd_within_a_crowd_is_enlarged_once_more():
    points = np.vstack([cluster(5, 0, 0.02), cluster(5, 2, 0.5), FAR[1:]])
    found = lettered(points)
    assert [details for _, _, details in found] == [["A"], ["B"], []]
    assert found[2][1] == set(range(5))


def test_points_that_stand_apart_are_not_enlarged():
    assert len(lettered(np.random.default_rng(1).uniform(size=(12, 2)))) == 1


def test_the_number_of_panels_is_bounded_and_no_point_goes_without_a_label():
    places = np.random.default_rng(0).uniform(0, 1000, size=(30, 2))
    points = np.vstack([cluster(4, place, 0.01, seed) for seed, place in enumerate(places)])
    found = lettered(points)
    assert len(found) == MOST
    assert sorted(point for _, labelled, _ in found for point in labelled) == list(range(120))


def test_models_that_fall_on_one_spot_share_a_label_and_are_told():
    above = np.array([[0.0, 0, 0.1], [0, 0, -0.1], [40, 0, 0], [0, 30, 0]])
    values = np.linalg.norm(above[:, None] - above, axis=2)
    drawn = texts(map.draw(matrix_of(values)))
    assert "1, 2" in drawn
    told = " ".join(drawn).replace("\n", " ")
    assert "1 label with commas names models that fall on one spot" in told
    assert "up to 0.2 apart" in told
    assert not any("one spot" in text for text in mapped(FAR))
