"""What models are sorted by: tags that tell something, and components that are shared."""

import pytest

from atlas.relations.classes import Classes, by_tag, leading

LARGE = Classes("vae", dict.fromkeys("abcd", "A") | dict.fromkeys("efgh", "B"))
PAIR = Classes("unet", {"a": "A", "b": "A"})


def test_tags_that_all_models_have_tell_nothing():
    assert by_tag({"a": ("sd1",), "b": ("sd1",)}) == []
    assert by_tag({"a": (), "b": ()}) == []
    assert by_tag({}) == []


def test_a_model_goes_by_its_first_tag_that_tells_something():
    (found,) = by_tag({"a": ["sd1", "anime", "night"], "b": ["sd1"], "c": ["night", "sd1"]})
    assert found == Classes("tag", {"a": "anime", "c": "night"})


def test_common_tags_come_first_and_letters_in_their_order():
    tags = {"a": "rare", "b": "common", "c": "common"}
    assert Classes("tag", tags).names() == ["common", "rare"]
    assert Classes("vae", {"a": "AA", "b": "B", "c": "B", "d": "A"}).names() == ["A", "B", "AA"]


def test_tags_lead_and_then_the_families_that_tell_most():
    tags = Classes("tag", {"a": "x"})
    assert leading([LARGE, tags], 8) is tags
    assert leading([PAIR, LARGE], 8) is LARGE
    assert leading([], 8) is None


def test_scores_of_pairs_tell_less_than_a_few_families():
    pairs = Classes("unet", {str(at): f"F{at // 2}" for at in range(200)})
    halves = Classes("vae", {str(at): "AB"[at % 2] for at in range(200)})
    assert halves.information(200) > pairs.information(200)
    assert Classes("unet", {"a": "A", "b": "B"}).information(2) == pytest.approx(0.0)
