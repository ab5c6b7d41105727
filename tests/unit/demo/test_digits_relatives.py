"""Relatives of the digits models: against plain sums, and what is left out or renamed."""

import ml_dtypes
import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas_demo import recipes
from atlas_demo.digits import relatives, single_file

KEYS = {
    "model.diffusion_model.time_embed.0.weight": (3, 2),
    "model.diffusion_model.input_blocks.0.0.weight": (4, 3),
    "model.diffusion_model.input_blocks.11.0.in_layers.0.bias": (4,),
    "model.diffusion_model.middle_block.1.norm.weight": (5,),
    "model.diffusion_model.output_blocks.2.1.conv.bias": (5,),
    "first_stage_model.decoder.conv_in.bias": (2,),
    "cond_stage_model.transformer.text_model.final_layer_norm.bias": (6,),
}
POSITIONS = "cond_stage_model.transformer.text_model.embeddings.position_ids"


def model(seed: int) -> dict[str, np.ndarray]:
    draws = np.random.default_rng(seed)
    weights = {key: draws.standard_normal(shape, np.float32) for key, shape in KEYS.items()}
    return weights | {POSITIONS: np.arange(7, dtype=np.int64)[None]}


def full(seed: int) -> dict[str, np.ndarray]:
    weights = model(seed)
    average = {
        single_file.average_key(key): array + np.float32(1)
        for key, array in weights.items()
        if key.startswith(single_file.UNET)
    }
    counters = {"model_ema.decay": np.float32(0.9), "model_ema.num_updates": np.int32(3)}
    return weights | average | counters | {"betas": np.ones(5, np.float32)}


def test_a_weighted_merge_is_the_rounded_sum():
    a, b = model(1), model(2)
    recipe = {"kind": "weighted", "parents": {"a": 0.6, "b": 0.4}}
    merged = relatives.make(recipe, {"a": a, "b": b})
    for key in KEYS:
        exact = 0.6 * a[key].astype(np.float64) + 0.4 * b[key].astype(np.float64)
        np.testing.assert_array_equal(merged[key], exact.astype(np.float32))
    np.testing.assert_array_equal(merged[POSITIONS], a[POSITIONS])


def test_what_parents_share_stays_bit_for_bit_in_a_merge():
    a = model(1)
    recipe = {"kind": "weighted", "parents": {"a": 0.6, "b": 0.4}}
    merged = relatives.make(recipe, {"a": a, "b": {key: array.copy() for key, array in a.items()}})
    for key, array in a.items():
        assert merged[key].dtype == array.dtype
        assert merged[key].tobytes() == array.tobytes()


def test_each_block_has_its_own_ratio():
    a, b = model(1), model(2)
    ratios = {"IN00": 0.1, "IN11": 0.2, "MID": 0.3, "OUT02": 1, "outside": 0}
    recipe = {"kind": "block_weighted", "parents": ["a", "b"], "ratios": ratios}
    merged = relatives.make(recipe, {"a": a, "b": b})
    expected = dict(zip(KEYS, (0, 0.1, 0.2, 0.3, 1, 0, 0), strict=True))
    for key, ratio in expected.items():
        np.testing.assert_allclose(merged[key], a[key] + ratio * (b[key] - a[key]), rtol=1e-5)


def test_a_block_without_a_ratio_is_named():
    recipe = {"kind": "block_weighted", "parents": ["a", "b"], "ratios": {"outside": 0}}
    with pytest.raises(AtlasError, match="IN00"):
        relatives.make(recipe, {"a": model(1), "b": model(2)})


def test_models_of_different_keys_are_not_merged():
    recipe = {"kind": "weighted", "parents": {"a": 0.6, "b": 0.4}}
    with pytest.raises(AtlasError, match="a and b differ"):
        relatives.make(recipe, {"a": model(1), "b": full(1)})


@pytest.mark.parametrize(("name", "dtype"), [("f16", np.float16), ("bf16", ml_dtypes.bfloat16)])
def test_a_cast_rounds_the_weights_and_leaves_counters(name, dtype):
    a = model(1)
    cast = relatives.make({"kind": "cast", "of": "a", "dtype": name}, {"a": a})
    for key in KEYS:
        assert cast[key].dtype == dtype
        np.testing.assert_array_equal(cast[key], a[key].astype(dtype))
    assert cast[POSITIONS].dtype == np.int64


def test_the_average_takes_the_place_of_the_unet():
    whole = full(1)
    made = relatives.make({"kind": "average", "of": "a"}, {"a": whole})
    assert made.keys() == model(1).keys()
    for key, array in made.items():
        moved = 1 if key.startswith(single_file.UNET) else 0
        np.testing.assert_array_equal(array, whole[key] + array.dtype.type(moved))


def test_pruning_drops_the_average_alone():
    whole = full(1)
    pruned = relatives.make({"kind": "prune", "of": "a"}, {"a": whole})
    gone = whole.keys() - pruned.keys()
    assert gone == {
        single_file.average_key(key) for key in KEYS if key.startswith(single_file.UNET)
    }
    assert {"betas", "model_ema.decay", "model_ema.num_updates"} < pruned.keys()


def test_a_component_alone_has_no_prefix():
    made = relatives.make({"kind": "extract", "of": "a", "component": "vae"}, {"a": model(1)})
    assert list(made) == ["decoder.conv_in.bias"]


def test_the_text_encoder_under_its_other_names():
    a = model(1)
    made = relatives.make({"kind": "renamed", "of": "a"}, {"a": a})
    assert len(made) == len(a)
    assert "cond_stage_model.transformer.final_layer_norm.bias" in made
    assert not any("text_model" in key for key in made)


def test_every_kind_of_the_roster_has_a_maker():
    assert relatives.MAKERS.keys() == set(recipes.DIGITS)
    with pytest.raises(AtlasError, match="did you mean weighted"):
        relatives.make({"kind": "wieghted"}, {})


@pytest.mark.parametrize("name", ["model.safetensors", "model.ckpt"])
def test_a_file_comes_back_and_is_the_same_each_time(tmp_path, name):
    weights = full(1)
    contents = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        single_file.write(weights, tmp_path / folder / name)
        contents.append((tmp_path / folder / name).read_bytes())
    assert contents[0] == contents[1]
    again = single_file.read(tmp_path / "first" / name)
    assert again.keys() == weights.keys()
    for key, array in weights.items():
        assert again[key].dtype == array.dtype
        np.testing.assert_array_equal(again[key], array)
