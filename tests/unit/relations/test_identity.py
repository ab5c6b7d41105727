"""The identity table: every kind of relative gets its right verdict, in words that say why."""

import ml_dtypes
import numpy as np
import pytest

import factory
import quantising
from atlas.relations import families, identity

BASE = factory.weights(seed=1)


def verdicts(lay, a: factory.Weights, b: factory.Weights) -> dict[str, tuple[str, str]]:
    """Return component to (verdict, what) for a pair of models called a and b."""
    frame = identity.table(lay({"a": a, "b": b}))
    return {row.component: (row.verdict, row.what) for row in frame.itertuples()}


def without(weights: factory.Weights, *prefixes: str) -> factory.Weights:
    return {name: value for name, value in weights.items() if not name.startswith(prefixes)}


def test_a_copy_is_identical(lay_side_by_side):
    found = verdicts(lay_side_by_side, BASE, dict(BASE))
    assert set(found.values()) == {("identical", "identical")}
    assert set(found) == {"unet", "vae", "text_encoder"}


@pytest.mark.parametrize(
    ("dtype", "word"),
    [
        (np.float16, "float16"),
        (ml_dtypes.float8_e4m3fn, "float8 (e4m3fn)"),
        (ml_dtypes.float8_e5m2, "float8 (e5m2)"),
    ],
)
def test_a_rounded_copy_is_cast(lay_side_by_side, dtype, word):
    rounded = {name: value.astype(dtype) for name, value in BASE.items()}
    found = verdicts(lay_side_by_side, BASE, rounded)
    assert set(found.values()) == {("cast", f"same weights rounded to {word}")}


def test_tensors_that_were_not_rounded_are_counted(lay_side_by_side):
    one = {f"net/x.{number}": np.full(2, number + 0.1, np.float32) for number in range(3)}
    rounded = {name: value.astype(np.float16) for name, value in list(one.items())[:2]}
    found = verdicts(lay_side_by_side, one, one | rounded)
    assert found["net"] == (
        "cast",
        "same weights rounded to float16 (1 of 3 tensors identical)",
    )


def test_a_copy_saved_in_a_wider_type_is_cast(lay_side_by_side):
    half = {name: value.astype(np.float16) for name, value in BASE.items()}
    widened = {name: value.astype(np.float32) for name, value in half.items()}
    found = verdicts(lay_side_by_side, half, widened)
    assert set(found.values()) == {("cast", "same weights rounded to float16")}


def test_a_decoder_that_was_trained_alone(lay_side_by_side):
    found = verdicts(lay_side_by_side, BASE, factory.changed(BASE, 2, "vae/decoder"))
    assert found["vae"] == (
        "partly changed",
        "only the decoder differs (encoder: 1 of 1 tensors identical)",
    )
    assert found["unet"][0] == "identical"


def test_cross_attention_that_was_trained_alone(lay_side_by_side):
    names = [name for name in BASE if "attn2" in name]
    found = verdicts(lay_side_by_side, BASE, factory.changed(BASE, 2, *names))
    assert found["unet"] == (
        "partly changed",
        "only cross-attention differs (the rest: 5 of 5 tensors identical)",
    )


def test_an_encoder_whose_quantising_convolution_changed_too(lay_side_by_side):
    quantised = BASE | {"vae/quant_conv.weight": np.ones((4, 4), np.float32)}
    tuned = factory.changed(quantised, 2, "vae/decoder", "vae/quant_conv")
    found = verdicts(lay_side_by_side, quantised, tuned)
    assert found["vae"] == (
        "partly changed",
        "only the decoder and quant_conv differ (encoder: 1 of 1 tensors identical)",
    )


def test_layers_that_were_trained_are_named_rather_than_those_that_were_not(lay_side_by_side):
    projection = "text_encoder/text_model.encoder.layers.{}.self_attn.q_proj.weight"
    deep = BASE | {
        projection.format(layer): np.full((6, 6), layer, np.float32) for layer in (1, 2, 3)
    }
    found = verdicts(
        lay_side_by_side, deep, factory.changed(deep, 2, *map(projection.format, (2, 3)))
    )
    assert found["text_encoder"] == (
        "partly changed",
        "only layers.2–layers.3 differ (the rest: 3 of 3 tensors identical)",
    )


def test_layers_with_a_gap_between_them_are_no_range(lay_side_by_side):
    projection = "text_encoder/text_model.encoder.layers.{}.self_attn.q_proj.weight"
    deep = {projection.format(layer): np.full((6, 6), layer, np.float32) for layer in range(5)}
    tuned = factory.changed(deep, 2, *map(projection.format, (1, 3)))
    found = verdicts(lay_side_by_side, deep, tuned)
    assert found["text_encoder"] == (
        "partly changed",
        "only layers.1 and layers.3 differ (the rest: 3 of 3 tensors identical)",
    )


def test_an_8_bit_copy_saved_in_a_wider_type_is_cast(lay_side_by_side):
    narrow = {name: value.astype(ml_dtypes.float8_e4m3fn) for name, value in BASE.items()}
    widened = {name: value.astype(np.float16) for name, value in narrow.items()}
    found = verdicts(lay_side_by_side, narrow, widened)
    assert set(found.values()) == {("cast", "same weights rounded to float8 (e4m3fn)")}


def test_all_changed(lay_side_by_side):
    found = verdicts(lay_side_by_side, BASE, factory.weights(seed=2))
    assert found["unet"] == ("changed", "all 6 tensors changed")


@pytest.mark.parametrize(("same", "verdict"), [(1, "changed"), (2, "partly changed")])
def test_few_equal_tensors_leave_a_component_changed(lay_side_by_side, same, verdict):
    """A twentieth of the tensors is enough, a fortieth is chance."""
    names = [f"net/layer.{number}" for number in range(40)]
    one, other = (
        {name: np.full(2, start + at, np.float32) for at, name in enumerate(names)}
        for start in (0, 100)
    )
    found = verdicts(lay_side_by_side, one, other | {name: one[name] for name in names[:same]})
    assert found["net"] == (verdict, f"{40 - same} of 40 tensors changed")


def test_rounded_tensors_are_no_changed_ones(lay_side_by_side):
    """Two of forty tensors are a twentieth, though none of them is equal bit for bit."""
    one = {f"net/layer.{number}": np.full(2, number, np.float32) for number in range(40)}
    other = {name: value + 100 for name, value in one.items()}
    other |= {name: one[name].astype(np.float16) for name in list(one)[:2]}
    found = verdicts(lay_side_by_side, one, other)
    assert found["net"] == ("partly changed", "38 of 40 tensors changed")


def test_a_tensor_that_broke_counts_as_changed(lay_side_by_side):
    one = {f"net/x.{number}": np.full(2, number, np.float32) for number in range(3)}
    broken = {"net/x.1": one["net/x.1"] + 7, "net/x.2": np.full(2, np.nan, np.float32)}
    found = verdicts(lay_side_by_side, one, one | broken)
    assert found["net"] == (
        "partly changed",
        "2 of 3 tensors changed; 1 of 3 tensors hold NaN or infinity",
    )


def test_a_missing_component(lay_side_by_side):
    found = verdicts(lay_side_by_side, BASE, without(BASE, "text_encoder"))
    assert found["text_encoder"] == ("only in a", "no text encoder in b")
    found = verdicts(lay_side_by_side, without(BASE, "vae"), BASE)
    assert found["vae"] == ("only in b", "no VAE in a")


def test_renamed_tensors_are_found_by_their_contents(lay_side_by_side):
    renamed = {
        name.replace("self_attn", "attention") if name.startswith("text_encoder") else name: value
        for name, value in BASE.items()
    }
    found = verdicts(lay_side_by_side, BASE, renamed)
    assert found["text_encoder"] == ("identical", "identical under other names")


def test_some_renamed_tensors_among_changed_ones_are_told(lay_side_by_side):
    moved = factory.changed(BASE, 2, "unet/conv_in")
    moved["unet/first.weight"] = moved.pop("unet/mid_block.resnets.0.norm1.weight")
    found = verdicts(lay_side_by_side, BASE, moved)
    assert found["unet"][0] == "partly changed"
    assert found["unet"][1].endswith(
        "1 of 7 tensors only in a; 1 of 7 tensors only in b; "
        "2 of them hold weights of the other under another name"
    )


def test_equal_tensors_that_lost_their_names_are_found_one_to_one(lay_side_by_side):
    zeros = np.zeros(2, np.float32)
    three = {f"net/old.{number}": zeros for number in range(3)} | {"net/x": zeros + 1}
    two = {f"net/new.{number}": zeros for number in range(2)} | {"net/x": zeros + 2}
    for models in ({"a": three, "b": two}, {"a": two, "b": three}):
        (row,) = identity.table(lay_side_by_side(models)).to_dict("records")
        assert row["renamed_tensors"] == 2 + 2
        assert row["only_a_tensors"] + row["only_b_tensors"] == 3 + 2


def test_two_that_go_by_the_same_foreign_names_are_plainly_identical(lay_side_by_side):
    moved = {name.replace("unet/", "network/x."): value for name, value in BASE.items()}
    frame = identity.table(lay_side_by_side({"a": BASE, "b": moved, "c": dict(moved)}))
    what = frame[frame["component"] == "unet"].set_index(["a", "b"])["what"]
    assert what["b", "c"] == "identical"
    assert what["a", "b"] == what["a", "c"] == "identical under other names"


def test_a_component_that_moved_as_a_whole_goes_by_the_known_names(lay_side_by_side):
    moved = {name.replace("unet/", "network/x."): value for name, value in BASE.items()}
    found = verdicts(lay_side_by_side, BASE, moved)
    assert found["unet"] == ("identical", "identical under other names")
    assert "network" not in found


def test_names_of_a_known_layout_are_preferred_whoever_comes_first(lay_side_by_side):
    moved = {name.replace("unet/", "network/x."): value for name, value in BASE.items()}
    found = verdicts(lay_side_by_side, moved, BASE)
    assert found["unet"] == ("identical", "identical under other names")
    assert "network" not in found


def test_a_second_text_encoder_stays_one_whatever_it_equals(lay_side_by_side):
    first = {name: value for name, value in BASE.items() if name.startswith("text_encoder/")}
    second = {name.replace("/text_model", "_2/model"): value for name, value in first.items()}
    found = verdicts(lay_side_by_side, first, second)
    assert {component: verdict for component, (verdict, _) in found.items()} == {
        "text_encoder": "identical",
        "text_encoder_2": "identical",
    }


def test_a_renamed_copy_is_compared_with_the_others(lay_side_by_side):
    moved = {name.replace("unet/", "network/x."): value for name, value in BASE.items()}
    models = {"a": BASE, "b": factory.changed(BASE, 2, "unet/conv_in"), "c": moved}
    frame = identity.table(lay_side_by_side(models)).set_index(["a", "b", "component"])
    assert frame.loc[("b", "c", "unet"), "what"] == frame.loc[("a", "b", "unet"), "what"] + (
        "; names matched by contents"
    )


def test_shapes_that_differ_are_told(lay_side_by_side):
    wider = dict(BASE)
    wider["unet/conv_in.weight"] = np.ones((4, 3, 3, 3), np.float32)
    found = verdicts(lay_side_by_side, BASE, wider)
    assert found["unet"][0] == "partly changed"
    assert "shapes differ in 1 of 6 tensors" in found["unet"][1]
    nothing_fits = {name: value.reshape(-1)[:3] for name, value in BASE.items()}
    found = verdicts(lay_side_by_side, BASE, nothing_fits)
    assert found["unet"] == ("not comparable", "shapes differ in 6 of 6 tensors")


def test_nan_is_told_and_never_called_equal(lay_side_by_side):
    broken = {name: np.full_like(value, np.nan) for name, value in BASE.items()}
    found = verdicts(lay_side_by_side, BASE, broken)
    assert found["unet"] == ("not comparable", "6 of 6 tensors hold NaN or infinity")


def test_models_with_nothing_in_common(lay_side_by_side):
    other = {"net/x.weight": np.ones((2, 2), np.float32)}
    found = verdicts(lay_side_by_side, without(BASE, "vae", "text"), other)
    assert found == {"unet": ("only in a", "no UNet in b"), "net": ("only in b", "no net in a")}


def test_raw_weights_that_are_the_others_training_copy_are_told(lay_side_by_side):
    trained = factory.changed(BASE, 2, "unet/")
    copies = {n.replace("unet/", "ema/"): v for n, v in trained.items() if n.startswith("unet/")}
    found = verdicts(lay_side_by_side, BASE | copies, trained)
    assert found["unet"] == (
        "changed",
        "all 6 tensors changed; raw weights of b are the EMA of a",
    )
    assert found["ema"] == ("only in a", "no training copy (EMA) in b")


def test_a_part_of_a_training_copy_is_no_training_copy(lay_side_by_side):
    first, last = np.ones(2, np.float32), np.zeros(2, np.float32)
    models = {
        "copy": {"ema/1": first, "ema/2": last},
        "half copy": {"ema/1": first},
        "half raw": {"unet/1": first},
        "raw": {"unet/1": first, "unet/2": last},
    }
    frame = identity.table(lay_side_by_side(models))
    told = frame[frame["what"].str.contains("raw weights of")]
    pairs = list(told[["a", "b", "component"]].itertuples(index=False, name=None))
    assert pairs == [("copy", "raw", "unet")]
    assert frame["raw_is_ema"].tolist() == ["b" if at in told.index else "" for at in frame.index]


def test_two_that_are_each_others_training_copy_are_both_told(lay_side_by_side):
    first, last = np.ones(2, np.float32), np.zeros(2, np.float32)
    models = {"a": {"unet/1": first, "ema/1": last}, "b": {"unet/1": last, "ema/1": first}}
    frame = identity.table(lay_side_by_side(models))
    assert dict(zip(frame["component"], frame["raw_is_ema"], strict=True)) == {
        "unet": "ab",
        "ema": "",
    }


def test_a_training_copy_lends_its_names_to_nobody(lay_side_by_side):
    unet = {name: value for name, value in BASE.items() if name.startswith("unet/")}
    full = {name.replace("unet/", "ema/x."): value for name, value in unet.items()}
    bare = {name.replace("unet/", "network/x."): value for name, value in unet.items()}
    found = identity.table(lay_side_by_side({"a": full, "b": bare}))
    assert list(found["component"]) == ["ema", "network"]
    assert found.loc[1, "what"] == (
        "identical under other names; raw weights of b are the EMA of a"
    )


def test_a_model_without_tensors_has_no_pairs(lay_side_by_side):
    counters = {"other/steps": np.ones(1, np.int64)}
    found = identity.table(lay_side_by_side({"a": BASE, "b": counters, "c": dict(BASE)}))
    assert set(found["a"]) == {"a"}
    assert set(found["b"]) == {"c"}


def test_counts_add_up(lay_side_by_side):
    frame = identity.table(
        lay_side_by_side({"a": BASE, "b": factory.changed(BASE, 2, "unet/conv_in")})
    )
    counts = [column for column in frame if column.endswith("_tensors")]
    counts.remove("renamed_tensors")
    assert (frame[counts].sum(axis=1) == frame["tensors"]).all()


def test_rounded_tensors_are_not_told_as_identical(lay_side_by_side):
    half = {name: value.astype(np.float16) for name, value in BASE.items()}
    mixed = half | {"unet/conv_in.bias": BASE["unet/conv_in.bias"]}
    found = verdicts(lay_side_by_side, BASE, without(half, "unet/conv_in.weight"))
    assert found["unet"][1] == "5 of 6 tensors rounded; 1 of 6 tensors only in a"
    found = verdicts(lay_side_by_side, BASE, without(mixed, "unet/conv_in.weight"))
    assert found["unet"][1].startswith("1 of 6 tensors identical, 4 rounded; ")
    tuned = factory.changed(BASE, 2, "vae/decoder") | without(half, "vae/decoder")
    found = verdicts(lay_side_by_side, BASE, tuned)
    assert found["vae"][1] == "only the decoder differs (encoder: 1 of 1 tensors rounded)"


ROUNDED = {
    dtype: {name: value.astype(dtype) for name, value in BASE.items()}
    for dtype in (np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn)
}


def verdict_of(lay, models: dict[str, factory.Weights]) -> tuple[str, str]:
    """Return what is said of the UNets of b and c."""
    frame = identity.table(lay(models)).set_index(["a", "b", "component"])
    row = frame.loc[("b", "c", "unet")]
    return row["verdict"], row["what"]


def test_copies_in_two_dtypes_are_two_roundings_where_their_source_is_there(lay_side_by_side):
    half, brain, byte = ROUNDED.values()
    for one, other in ((half, brain), (byte, brain)):
        models = {"b": one, "c": other, "source": BASE}
        told = verdict_of(lay_side_by_side, models)
        assert told == ("two roundings", "two roundings of one model: source")


def test_copies_in_two_dtypes_are_nothing_more_without_proof(lay_side_by_side):
    half, brain, _ = ROUNDED.values()
    moved = factory.changed(BASE, 2, "unet/conv_in.weight")
    for source in ({}, {"source": moved}):
        verdict, _ = verdict_of(lay_side_by_side, {"b": half, "c": brain} | source)
        assert verdict not in ("identical", "cast", "two roundings")


def test_roundings_of_broken_weights_are_no_roundings_of_one_model(lay_side_by_side):
    weights = BASE | {"unet/conv_in.bias": np.full(4, 1e6, np.float32)}
    with np.errstate(over="ignore"):
        half, brain = (
            {name: value.astype(dtype) for name, value in weights.items()}
            for dtype in (np.float16, ml_dtypes.bfloat16)
        )
    assert np.isinf(half["unet/conv_in.bias"]).all()
    verdict, _ = verdict_of(lay_side_by_side, {"b": half, "c": brain, "source": weights})
    assert verdict == "partly changed"


def test_a_label_is_no_word_of_the_table(lay_side_by_side):
    """What other programs read goes by ids, which hold no commas."""
    frame = identity.table(lay_side_by_side({"a": BASE, "b": without(BASE, "vae")}))
    assert frame.set_index("component")["what"]["vae"] == "no VAE in b"


@pytest.mark.parametrize("scheme", quantising.SCHEMES)
def test_codes_are_never_identical_to_anything(lay_side_by_side, scheme):
    """Biases and norms are equal in all four, and so are the scales of both files of codes."""
    matrices = {name: value for name, value in BASE.items() if name.startswith("unet/")}
    one, two = (quantising.quantised(matrices, scheme, seed) for seed in (1, 2))
    rest = without(BASE, "unet/")
    frame = identity.table(lay_side_by_side({"a": BASE, "b": rest | one, "c": rest | two}))
    found = frame[frame["component"] == "unet"].set_index(["a", "b"])
    assert found["verdict"].tolist() == ["refused"] * 3
    assert found.loc[("a", "b"), "what"].startswith("not read in b: ")
    assert found.loc[("b", "c"), "what"].startswith("not read in b and c: ")
    assert "use the model's file before quantisation" in found.loc[("b", "c"), "what"]
    assert (found["identical_tensors"] == 0).all()
    others = frame[frame["component"] != "unet"]
    assert set(others["verdict"]) == {"identical"}
    assert families.holders(frame[frame["component"] == "unet"]) == {"a"}


def test_a_component_that_is_another_one_elsewhere_is_told(lay_side_by_side):
    high = {f"transformer/{n}": np.full(2, n, np.float32) for n in range(3)}
    low = {f"transformer/{n}": np.full(2, n + 9, np.float32) for n in range(3)}
    both = high | {name.replace("/", "_2/"): value for name, value in low.items()}
    frame = identity.table(lay_side_by_side({"a": both, "b": low, "c": high}))
    what = frame.set_index(["a", "b", "component"])["what"]
    told = "; the transformer of b is the second transformer of a"
    assert what["a", "b", "transformer"] == f"all 3 tensors changed{told}"
    assert what["a", "b", "transformer_2"].endswith(
        "the second transformer of a is the transformer of b"
    )
    assert what["a", "c", "transformer"] == "identical"
    assert "is the" not in what["a", "c", "transformer_2"]


def test_the_table_of_pairs_says_why_in_short(lay_side_by_side):
    codes = {"unet/x.weight": np.ones((40, 40), np.int8)}
    found = verdicts(lay_side_by_side, BASE, without(BASE, "unet/") | codes)
    assert found["unet"] == (
        "refused",
        "not read in b: quantised weights of an unknown scheme; use the model's file before "
        "quantisation",
    )
