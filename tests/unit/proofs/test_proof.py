"""Parts are made again from files, counted where the parents differ, and told apart."""

from __future__ import annotations

import numpy as np
import pytest

from atlas.basis.errors import AtlasError
from atlas.fingerprints.elements.files import OpenFiles
from atlas.fingerprints.renamings import Adopted, Renamings, signature_of
from atlas.proofs import sampling, streaming
from atlas.proofs.parts import part_of
from atlas.proofs.proof import Proved, is_likely, prove
from recipes_of_files import family, holdings, in_dtype, recipe


def mixed(models, weights, dtype=np.float32):
    """Merge in float64, rounded once."""
    return {
        name: sum(
            weight * models[model][name].astype(np.float64) for model, weight in weights.items()
        ).astype(dtype)
        for name in models["a"]
    }


def proof_of(folder, models, given, **settings):
    return prove(part_of(given, holdings(folder, models)), OpenFiles(), **settings)


def test_a_merge_is_proved_and_its_weights_are_plain(tmp_path):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    proof = proof_of(tmp_path, models, recipe({"a": 0.70003, "b": 0.29996}))
    best = proof.attempts[0]
    assert best.verdict is Proved.PROVED
    assert best.making.weights == (0.7, 0.3)
    assert best.tally.equal == best.tally.elements == 64 * 64 + 300 + 8 * 16 * 9
    assert proof.turned < 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_another_weight_is_not_proved(tmp_path, dtype):
    models = {name: in_dtype(model, dtype) for name, model in family().items()}
    models["child"] = mixed(models, {"a": 0.7007, "b": 0.2993}, dtype)
    near = recipe({"a": 0.7, "b": 0.3}, error=1e-6)
    assert proof_of(tmp_path, models, near).attempts[0].verdict is Proved.NOT


@pytest.mark.parametrize("weights", [{"a": 0.7, "b": 0.3}, {"a": 0.70003, "b": 0.29997}])
def test_the_sample_tells_what_is_likely_though_the_fit_is_plain_already(tmp_path, weights):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    held = holdings(tmp_path, models)
    assert is_likely(part_of(recipe(weights), held), OpenFiles())
    assert not is_likely(part_of(recipe({"a": 0.6, "b": 0.4}), held), OpenFiles())


def test_elements_that_parents_share_count_for_nothing(tmp_path):
    models = family()
    models["b"]["unet/a"] = models["a"]["unet/a"]
    models["child"] = mixed(models, {"a": 0.6, "b": 0.4})
    best = proof_of(tmp_path, models, recipe({"a": 0.6, "b": 0.4})).attempts[0]
    assert best.tally.elements == 300 + 8 * 16 * 9


def test_parents_that_are_the_same_give_no_verdict(tmp_path):
    models = family()
    models["b"] = models["child"] = models["a"]
    proof = proof_of(tmp_path, models, recipe({"a": 0.6, "b": 0.4}))
    assert [each.verdict for each in proof.attempts] == [None]
    assert proof.turned is None


def test_of_an_added_difference_only_where_there_is_one(tmp_path):
    models = family()
    models["c"] = dict(models["b"], **{"unet/b": models["b"]["unet/b"] + np.float32(0.01)})
    child = {
        name: models["a"][name] + np.float32(0.8) * (models["b"][name] - models["c"][name])
        for name in models["a"]
    }
    given = recipe({"a": 1.0, "b": 0.8, "c": -0.8})
    best = proof_of(tmp_path, models | {"child": child}, given).attempts[0]
    assert best.making.arithmetic.name == "difference"
    assert (best.tally.elements, best.tally.equal) == (300, 300)


def test_a_parent_that_was_rounded_first_is_told(tmp_path):
    models = family()
    half = {name: in_dtype(models[name], np.float16) for name in "ab"}
    models["child"] = {
        name: np.float16(0.7) * 0
        + (
            (np.float32(0.7) * half["a"][name].astype(np.float32)).astype(np.float16)
            + (np.float32(0.3) * half["b"][name].astype(np.float32)).astype(np.float16)
        )
        for name in half["a"]
    }
    best = proof_of(tmp_path, models, recipe({"a": 0.7, "b": 0.3})).attempts[0]
    assert best.verdict is Proved.PROVED
    assert best.making.casts == ("f16", "f16")
    assert best.making.arithmetic.name == "native weighted sum"


def test_a_relative_that_is_wider_than_the_parent_is_tried(tmp_path):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    models["half"] = in_dtype(models["b"], np.float16)
    given = recipe({"a": 0.7, "half": 0.3}, alike=((), ("b",)))
    part = part_of(given, holdings(tmp_path, models))
    proof = prove(part, OpenFiles())
    best = proof.attempts[0]
    assert best.verdict is Proved.PROVED
    assert part.parents[1].read == "b"
    sources = {each.rounded: each for each in part.parents[1].sources}
    assert sources[best.making.casts[1]].model == "b"
    assert sources["f16"].model == "half"


def test_tensors_that_deviate_follow_their_own_weights_or_are_left_out(tmp_path):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    models["child"]["unet/b"] = models["a"]["unet/b"]
    models["child"]["unet/c"] = models["base"]["unet/c"]
    given = recipe({"a": 0.7, "b": 0.3}, deviating={"unet/b": (1.0, 0.0), "unet/c": None})
    part = part_of(given, holdings(tmp_path, models))
    best = prove(part, OpenFiles()).attempts[0]
    assert part.left_out == 1
    assert (best.tally.elements, best.tally.equal) == (64 * 64 + 300,) * 2


def test_chunks_and_threads_change_no_count(tmp_path, monkeypatch):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    given = recipe({"a": 0.7, "b": 0.3})
    held = holdings(tmp_path, models)
    once = prove(part_of(given, held), OpenFiles())
    monkeypatch.setattr(streaming, "CHUNK_ELEMENTS", 100)
    assert prove(part_of(given, held), OpenFiles(), threads=3) == once


def test_a_file_that_holds_other_weights_is_refused(tmp_path):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    part = part_of(recipe({"a": 0.7, "b": 0.3}), holdings(tmp_path, models))
    raw = bytearray((tmp_path / "a").read_bytes())
    raw[1000] ^= 1
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(AtlasError, match="holds other weights than when it was fingerprinted"):
        prove(part, OpenFiles())


def test_only_the_block_is_made_again(tmp_path):
    models = family()
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    held = holdings(tmp_path, models)
    blocks = {each.block for each in held.of("child").values()}
    for block in blocks:
        part = part_of(recipe({"a": 0.7, "b": 0.3}, block=block), held)
        assert {each.name for each in part.tensors} == {
            name for name, each in held.of("child").items() if each.block == block
        }
    assert not part_of(recipe({"a": 1.0, "b": 0.0}, component="vae"), held).tensors


def test_a_part_that_is_not_there_gives_no_verdict(tmp_path):
    models = family()
    models["child"] = models["a"]
    proof = proof_of(tmp_path, models, recipe({"a": 0.6, "b": 0.4}, component="vae"))
    assert [each.tally.elements for each in proof.attempts] == [0]


def test_a_few_elements_that_differ_are_counted_though_no_sample_meets_them(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "WINDOW", 4)
    monkeypatch.setattr(sampling.sample, "__defaults__", (8,))
    models = family()
    models["b"] = {name: array.copy() for name, array in models["a"].items()}
    models["b"]["unet/a"][63, 63] += np.float32(0.01)
    models["child"] = mixed(models, {"a": 0.7, "b": 0.3})
    part = part_of(recipe({"a": 0.7, "b": 0.3}), holdings(tmp_path, models))
    assert not sampling.sample(OpenFiles(), part.tensors)
    proof = prove(part, OpenFiles())
    assert (proof.attempts[0].tally.elements, proof.attempts[0].verdict) == (1, Proved.PROVED)
    assert proof.turned is None


def test_tensors_go_by_the_names_that_others_have(tmp_path):
    models = family()
    models["child"] = {
        f"network/{name}": array for name, array in mixed(models, {"a": 0.7, "b": 0.3}).items()
    }
    names = {own: Adopted(own.removeprefix("network/"), "IN00", "other") for own in models["child"]}
    named = Renamings({signature_of("network", names): names})
    held = holdings(tmp_path, models, named)
    assert {each.block for each in held.of("child").values()} == {"IN00"}
    part = part_of(recipe({"a": 0.7, "b": 0.3}, block="IN00"), held)
    assert prove(part, OpenFiles()).attempts[0].verdict is Proved.PROVED


def test_the_wrong_name_of_a_model_is_told_with_the_right_one(tmp_path):
    held = holdings(tmp_path, family())
    with pytest.raises(AtlasError, match="did you mean base"):
        held.of("bas")
