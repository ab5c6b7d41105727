"""Text encoders are found with configuration and tokeniser, or it is said what is lacking."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

import narrow_encoders
from atlas.embeddings import encoders, encoding
from atlas.embeddings.encoders import Encoder, Places, Problem
from atlas.networks.sources import Source


def find(folder: Path, path: Path, **places) -> list[Encoder | Problem]:
    print_ = narrow_encoders.fingerprinted(path, folder / f"{path.name}.parquet")
    return encoders.find(path.name, print_, path, Places(**places))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder of models: the same encoder in three forms, and another."""
    folder = tmp_path_factory.mktemp("encoders")
    network = narrow_encoders.clip(folder / "base")
    narrow_encoders.single_file(folder / "single.safetensors", network)
    narrow_encoders.clip(folder / "other", seed=1)
    narrow_encoders.clip(folder / "projected", projected=True, gelu=True)
    return folder


def test_a_folder_has_all_that_is_needed(made):
    (found,) = find(made, made / "base")
    assert (found.family, found.class_name, found.width, found.layers) == (
        "clip", "CLIPTextModel", narrow_encoders.WIDTH, 3,
    )  # fmt: skip
    assert found.tokenizer == str(made / "base" / "tokenizer")
    assert found.configuration == str(made / "base" / "text_encoder")
    assert found.is_own_tokenizer


def test_equal_weights_have_one_id_whatever_holds_them(made):
    (base,) = find(made, made / "base")
    (single,) = find(made, made / "single.safetensors", configurations=[made / "base"])
    (other,) = find(made, made / "other")
    assert single.id == base.id != other.id


def test_the_class_follows_the_weights(made):
    (found,) = find(made, made / "projected")
    assert found.class_name == "CLIPTextModelWithProjection"


def test_a_setting_that_changes_what_weights_do_changes_the_id(made, tmp_path):
    shutil.copytree(made / "base", tmp_path / "heads")
    place = tmp_path / "heads" / "text_encoder" / "config.json"
    config = json.loads(place.read_text())
    place.write_text(json.dumps(config | {"num_attention_heads": 4}))
    (heads,), (base,) = find(tmp_path, tmp_path / "heads"), find(tmp_path, made / "base")
    place.write_text(json.dumps(config | {"transformers_version": "3"}))
    (renamed,) = find(tmp_path, tmp_path / "heads")
    assert heads.id != base.id == renamed.id


def test_a_single_file_without_a_fitting_configuration_says_what_to_give(made):
    (problem,) = find(made, made / "single.safetensors", configurations=[made / "projected"])
    assert isinstance(problem, Encoder)  # its numbers fit: the class is that of the weights
    (problem,) = find(made, made / "single.safetensors")
    assert isinstance(problem, Problem)
    assert "embeddings › configurations: none" in problem.text
    assert "hidden_size 16" in problem.text


def test_layers_and_projection_are_counted_where_a_configuration_is_borrowed(made, tmp_path):
    """Stable Diffusion 2's single files have a layer and a projection more than its folders."""
    network = narrow_encoders.clip(tmp_path / "longer", projected=True)
    narrow_encoders.single_file(tmp_path / "longer.safetensors", network)
    shutil.copytree(made / "base", tmp_path / "short")
    place = tmp_path / "short" / "text_encoder" / "config.json"
    shorter = {"num_hidden_layers": 2, "projection_dim": 512}
    place.write_text(json.dumps(json.loads(place.read_text()) | shorter))
    (found,) = find(tmp_path, tmp_path / "longer.safetensors", configurations=[tmp_path / "short"])
    assert found.class_name == "CLIPTextModelWithProjection"
    assert found.config["num_hidden_layers"] == found.layers == 3
    assert found.config["projection_dim"] == narrow_encoders.WIDTH // 2
    source = Source("longer", tmp_path / "longer.safetensors")
    loaded = encoding.load(found, source, device=torch.device("cpu"), dtype=torch.float32)
    ids = torch.tensor([[1, 2, 513]])
    with torch.no_grad():
        assert torch.equal(loaded(ids).text_embeds, network(ids).text_embeds)


def test_a_configuration_of_another_network_is_refused(made, tmp_path):
    shutil.copytree(made / "base", tmp_path / "wrong")
    place = tmp_path / "wrong" / "text_encoder" / "config.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"num_hidden_layers": 5}))
    (problem,) = find(tmp_path, tmp_path / "wrong")
    assert "num_hidden_layers is 5, and the weights have 3" in problem.text


def test_where_a_tokenizer_was_looked_for_is_told(made, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(encoders.tokenizers, "fetched", _unreachable)
    shutil.copytree(made / "base", tmp_path / "mute")
    shutil.rmtree(tmp_path / "mute" / "tokenizer")
    (problem,) = find(tmp_path, tmp_path / "mute")
    assert str(tmp_path / "mute" / "tokenizer") in problem.text
    assert "no network" in problem.text
    assert problem.text.endswith("embeddings › tokenizers › clip")


def _unreachable(repository: str, subfolder: str) -> Path:
    raise encoders.AtlasError(f"{repository}: no network")


def test_a_given_tokenizer_comes_before_the_standard_one(made, tmp_path):
    shutil.copytree(made / "base", tmp_path / "mute")
    shutil.rmtree(tmp_path / "mute" / "tokenizer")
    standard = made / "other" / "tokenizer"
    (found,) = find(tmp_path, tmp_path / "mute", standard=standard)
    assert (found.tokenizer, found.is_own_tokenizer) == (str(standard), False)
    given = made / "projected" / "tokenizer"
    (found,) = find(tmp_path, tmp_path / "mute", standard=standard, tokenizers={"clip": given})
    assert found.tokenizer == str(given)


def test_what_is_known_as_the_second_encoder_may_lie_in_the_first_ones_folder(made, tmp_path):
    """Stable Cascade keeps SDXL's second text encoder as its first."""
    shutil.copytree(made / "projected", tmp_path / "cascade")
    print_ = narrow_encoders.fingerprinted(tmp_path / "cascade", tmp_path / "print.parquet")
    table, notes = encoders.sealed.read(print_, encoders.READ)
    renamed = table.to_pandas().replace({"component": {"text_encoder": "text_encoder_2"}})
    renamed["name"] = renamed["name"].str.replace("text_encoder/", "text_encoder_2/")
    encoders.sealed.write(encoders.sealed.pa.Table.from_pandas(renamed), print_, notes)
    (found,) = encoders.find("model", print_, tmp_path / "cascade", Places())
    assert found.component == "text_encoder_2"
    assert found.configuration == str(tmp_path / "cascade" / "text_encoder")
    assert found.tokenizer == str(tmp_path / "cascade" / "tokenizer")


def test_a_model_without_a_text_encoder_says_what_it_has(tmp_path):
    import factory

    named = {key: each for key, each in factory.weights(0).items() if key.startswith("unet")}
    folder = factory.diffusers_folder(tmp_path / "unet", named)
    (problem,) = find(tmp_path, folder)
    assert problem.text == "has no text encoder: it has unet"


def test_the_table_and_the_record_hold_the_same(made, tmp_path):
    found = [*find(made, made / "base"), *find(made, made / "single.safetensors")]
    table = encoders.table(found)
    assert list(table.columns) == encoders.COLUMNS
    assert table["problem"].notna().tolist() == [False, True]
    (tmp_path / "record.json").write_text(encoders.dumped(found))
    assert encoders.loaded(tmp_path / "record.json") == ([found[0]], [found[1]])
    assert isinstance(table, pd.DataFrame)
