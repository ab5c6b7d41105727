"""Labels follow from the options, the dataset's seed and the sample's number alone."""

from collections import Counter

import pytest
import torch

from atlas.activations.probes import labels
from atlas.basis.errors import AtlasError


def test_classes_come_in_turn():
    found = labels.of_classes(None, 3)
    for seed in (0, 5):
        assert found.columns(seed, (4, 0, 2)) == {"label": [1, 0, 2]}
    assert torch.equal(found.vectors(0, (4, 0, 2)), torch.eye(3)[[1, 0, 2]])


def test_a_list_is_gone_through_again_and_again():
    found = labels.of_classes([7, 2], 10)
    assert found.columns(0, range(3)) == {"label": [7, 2, 7]}
    assert found.columns(5, (1,)) == {"label": [2]}
    assert labels.of_classes(7, 10) == labels.of_classes([7], 10)


def test_blends_and_no_label_make_texts_of_all():
    found = labels.of_classes([3, "none", None, {"3": 0.5, 7: 0.25}], 10)
    column = ["3", "none", "none", "0.5*3 + 0.25*7"]
    assert found.columns(0, range(4)) == {"label": column}
    assert found.columns(0, (0,)) == {"label": column[:1]}
    vectors = found.vectors(0, range(4))
    assert vectors.sum(1).tolist() == [1, 0, 0, 0.75]
    assert vectors[3, [3, 7]].tolist() == [0.5, 0.25]


def test_random_classes_are_all_of_them_about_as_often_and_depend_on_the_seed():
    found = labels.of_classes("random", 10)
    first, second = (found.columns(seed, range(2000))["label"] for seed in (0, 1))
    assert min(Counter(first).values()) > 150
    assert set(first) == set(range(10))
    assert first != second
    assert found.columns(0, (1999,)) == {"label": first[-1:]}
    assert found.vectors(0, range(2000)).argmax(1).tolist() == first


def test_a_number_by_chance_and_its_place_in_the_range():
    found = labels.of_number({"name": "difficulty", "from": 1, "to": 100})
    values = found.columns(0, range(1000))["difficulty"]
    assert 1 <= min(values) < 3
    assert 98 < max(values) <= 100
    places = found.vectors(0, range(1000))
    assert places.shape == (1000, 1)
    torch.testing.assert_close(places[:, 0], (torch.tensor(values) - 1) / 99)
    assert found.columns(0, (17,)) == {"difficulty": values[17:18]}


def test_numbers_of_a_list():
    found = labels.of_number({"name": "d", "from": 10, "to": 0, "values": [10, 5, 0]})
    assert found.columns(0, range(4)) == {"d": [10, 5, 0, 10]}
    assert found.vectors(0, range(3)).flatten().tolist() == [0, 0.5, 1]
    assert labels.of_number([0.25]).vectors(0, (9,)).item() == 0.25
    assert labels.of_number(None) == labels.of_number("random")


def test_no_labels():
    found = labels.of_nothing(None)
    assert found.columns(0, (1, 2)) == {}
    assert found.vectors(0, (1, 2)).shape == (2, 0)
    with pytest.raises(AtlasError, match="takes no label"):
        labels.of_nothing("random")


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ([10], "10 is none of the network's classes, 0 to 9"),
        ([True], "True is none of"),
        ([1.0], "1.0 is none of"),
        (["cat"], "'cat' is none of"),
        ([{10: 0.5}], "10 is none of"),
        ([{1: "much"}], "is no blend"),
        ([{}], "is no blend"),
        ([], "the list is empty"),
        ("randon", "did you mean random?"),
        ({"name": "x"}, "one of 10 classes, not a number"),
    ],
)
def test_wrong_classes_are_refused(option, problem):
    with pytest.raises(AtlasError) as refusal:
        labels.of_classes(option, 10)
    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ({"nme": "x"}, "unknown key nme; did you mean name?"),
        ({"name": 3}, "3 is no name"),
        ({"from": 1, "to": 1}, "from 1 to 1 is no range"),
        ({"from": "1", "to": 2}, "is no range"),
        ({"from": 1, "to": float("nan")}, "is no range"),
        ({"from": 1, "to": 100, "values": [0]}, "0 is no number from 1 to 100"),
        (["none"], "none is no number from 0 to 1"),
        (2, "2 is no number from 0 to 1"),
    ],
)
def test_wrong_numbers_are_refused(option, problem):
    with pytest.raises(AtlasError) as refusal:
        labels.of_number(option)
    assert problem in str(refusal.value)
