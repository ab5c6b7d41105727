"""Relatives against slow obvious versions, and faults of recipes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.basis.errors import AtlasError
from atlas_demo import recipes
from atlas_demo.terrain import relatives

KEYS = ("input_blocks.3.0.weight", "middle_block.1.weight", "output_blocks.12.0.weight", "out.2.w")
SHARES = st.floats(-2, 2, allow_subnormal=False)


def network(seed: int) -> dict[str, np.ndarray]:
    draws = np.random.default_rng(seed)
    return {key: draws.standard_normal((3, 4), np.float32) for key in KEYS}


MODELS = {"a": network(0), "b": network(1), "c": network(2)}


def slow(terms: list[tuple[float, str]], key: str) -> np.ndarray:
    """Sum element by element in Python's floats."""
    total = np.zeros((3, 4), np.float32)
    for row in range(3):
        for column in range(4):
            total[row, column] = sum(
                share * float(MODELS[model][key][row, column]) for share, model in terms
            )
    return total


@given(SHARES, SHARES)
def test_weighted_merge(share, other):
    made = relatives.make({"kind": "weighted", "parents": {"a": share, "b": other}}, MODELS)
    for key in KEYS:
        np.testing.assert_array_equal(made[key], slow([(share, "a"), (other, "b")], key))
        assert made[key].dtype == np.float32


def test_each_block_has_its_own_ratio():
    ratios = {"IN03": 0, "MID": 0.25, "OUT12": 1, "outside": 0.5}
    recipe = {"kind": "block_weighted", "parents": ["a", "b"], "ratios": ratios}
    made = relatives.make(recipe, MODELS)
    for key, ratio in zip(KEYS, ratios.values(), strict=True):
        np.testing.assert_array_equal(made[key], slow([(1 - ratio, "a"), (ratio, "b")], key))
    np.testing.assert_array_equal(made[KEYS[0]], MODELS["a"][KEYS[0]])
    np.testing.assert_array_equal(made[KEYS[2]], MODELS["b"][KEYS[2]])


@given(SHARES)
def test_add_difference(alpha):
    recipe = {"kind": "add_difference", "base": "a", "plus": "b", "minus": "c", "alpha": alpha}
    made = relatives.make(recipe, MODELS)
    for key in KEYS:
        expected = slow([(1, "a"), (alpha, "b"), (-alpha, "c")], key)
        np.testing.assert_array_equal(made[key], expected)


def test_adding_a_difference_of_equals_changes_nothing():
    recipe = {"kind": "add_difference", "base": "a", "plus": "b", "minus": "b", "alpha": 0.5}
    made = relatives.make(recipe, MODELS)
    for key in KEYS:
        np.testing.assert_array_equal(made[key], MODELS["a"][key])


def test_cast_and_copy():
    cast = relatives.make({"kind": "cast", "of": "a", "dtype": "f16"}, MODELS)
    copy = relatives.make({"kind": "copy", "of": "a"}, MODELS)
    for key in KEYS:
        np.testing.assert_array_equal(cast[key], MODELS["a"][key].astype(np.float16), strict=True)
        np.testing.assert_array_equal(copy[key], MODELS["a"][key], strict=True)


def test_renamed_keys_keep_their_tensors():
    weights = {"unet/conv_in.weight": np.zeros(1), "unet/mid.conv_in_2.bias": np.ones(1)}
    renamed = relatives.rename(weights, {"unet": "net", "conv_in": "stem"})
    assert renamed == {"net.stem.weight": np.zeros(1), "net.mid.conv_in_2.bias": np.ones(1)}


def test_words_that_make_two_keys_one_are_a_fault():
    with pytest.raises(AtlasError, match="two keys one"):
        relatives.rename({"a.x": np.zeros(1), "b.x": np.zeros(1)}, {"a": "b"})


def test_what_make_can_make_is_what_recipes_say():
    assert set(relatives.MAKERS) == set(recipes.TERRAIN)
    assert set(recipes.TERRAIN) < set(recipes.PARENTS)


@pytest.mark.parametrize(
    ("recipe", "parents"),
    [
        ({"kind": "weighted", "parents": {"a": 0.7, "b": 0.3}}, ["a", "b"]),
        ({"kind": "block_weighted", "parents": ["a", "b"], "ratios": {}}, ["a", "b"]),
        ({"kind": "add_difference", "base": "a", "plus": "b", "minus": "c"}, ["a", "b", "c"]),
        ({"kind": "finetune", "of": "a", "steps": 3}, ["a"]),
    ],
)
def test_parents_of_recipes(recipe, parents):
    assert recipes.parents(recipe) == parents


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"kind": "weigthed", "parents": {"a": 1}}, "did you mean weighted"),
        ({"kind": "add_difference", "base": "a", "plus": "b"}, "lacks the key minus"),
        ({"kind": "finetune", "of": "a", "steps": 3}, "no arithmetic"),
        ({"kind": "cast", "of": "a", "dtype": "fp16"}, "did you mean f16"),
        ({"kind": "block_weighted", "parents": ["a", "b"], "ratios": {"IN03": 0}}, "block MID"),
        ({"kind": "weighted", "parents": {"a": 0.5, "odd": 0.5}}, "a and odd differ"),
    ],
)
def test_faults_of_recipes(recipe, message):
    models = MODELS | {"odd": {"out.2.w": np.zeros((3, 4), np.float32)}}
    with pytest.raises(AtlasError, match=message):
        relatives.make(recipe, models)
