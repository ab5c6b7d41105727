"""Datasets are read from the settings with their defaults, and every fault is told."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from atlas.activations import datasets
from atlas.basis.errors import AtlasError
from atlas.basis.shipped import CONFIG
from atlas.basis.validation import schema
from atlas.roster import settings

ROSTER = {
    name: SimpleNamespace(path=Path(f"resources/{name}"), architecture=None, weights="ema")
    for name in ("faces", "faces-tuned")
}


def declared(**said):
    """Return the one dataset that is declared by these settings."""
    return datasets.declared({"one": {"model": "faces"} | said}, ROSTER)["one"]


def told(**said):
    """Return what is told of wrong settings."""
    with pytest.raises(AtlasError) as error:
        datasets.declared({"one": said}, ROSTER)
    return str(error.value)


def test_what_is_not_said_is_as_in_the_defaults():
    defaults = yaml.safe_load((CONFIG / "activations/defaults.yaml").read_text())
    plain = declared().plain()
    for key in set(defaults) - {"chunk", "embed"}:
        assert plain[key] == defaults[key], key
    assert (plain["chunk"], plain["embed"]) == (128, "mean")


def test_all_settings_have_a_place_in_the_schema_and_defaults_or_options():
    known = set(schema("config")["$defs"]["dataset"]["properties"])
    defaults = yaml.safe_load((CONFIG / "activations/defaults.yaml").read_text())
    assert set(defaults) <= known
    assert known - set(defaults) - datasets.options() == {"model", "models", "configuration"}
    assert {"labels", "prompts", "steps", "sigma", "guidance"} <= datasets.options()


def test_options_are_handed_on_and_the_rest_is_not():
    dataset = declared(labels=[1, 2], samples=10, steps=4)
    assert dataset.options == {"labels": [1, 2], "steps": 4}


def test_a_model_of_the_roster_is_read_as_the_roster_says():
    (origin,) = declared().origins
    assert (origin.name, origin.path, origin.weights) == ("faces", Path("resources/faces"), "ema")


def test_a_path_and_a_repository_are_models_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("models/my net").mkdir(parents=True)
    Path("models/x.safetensors").touch()
    made = datasets.declared(
        {"one": {"models": ["models/my net", "models/x.safetensors", "owner/net"]}}, ROSTER
    )["one"]
    assert made.models == ("my-net", "x", "owner--net")
    assert made.origins[2].repository == "owner/net"
    assert made.origins[2].path is None


def test_chunks_cover_all_samples_once():
    dataset = declared(samples=300, chunk=128)
    spans = [dataset.span(chunk) for chunk in dataset.chunks]
    assert spans == [(0, 128), (128, 256), (256, 300)]


@pytest.mark.parametrize(
    ("samples", "batch", "chunk"), [(60, 8, 64), (1000, 8, 128), (5, 100, 100), (1000, 300, 300)]
)
def test_a_chunk_is_of_whole_batches_where_none_is_asked_for(samples, batch, chunk):
    assert declared(samples=samples, batch=batch).chunk == chunk


def test_more_samples_leave_whole_chunks_as_they_were():
    few, many = declared(samples=256), declared(samples=400)
    assert few.chunks == many.chunks[:2]
    assert [few.span(chunk) for chunk in few.chunks] == [many.span(chunk) for chunk in few.chunks]
    assert few.drawing() == many.drawing()


def test_how_it_is_run_is_no_part_of_what_is_drawn():
    plain = declared()
    other = declared(batch=3, threads=2, device="cuda", neighbours=3, chunk=9)
    assert plain.drawing() == other.drawing()
    assert declared(seed=1).drawing() != plain.drawing()


def test_a_dataset_goes_through_a_file_unchanged(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.png").touch()
    dataset = declared(real={"folder": str(tmp_path / "real")}, configuration="faces-tuned")
    assert dataset.real.samples == 1
    assert dataset.configuration == Path("resources/faces-tuned")
    (tmp_path / "dataset.json").write_text(json.dumps(dataset.plain()))
    assert datasets.read(tmp_path / "dataset.json") == dataset


def test_a_file_that_is_no_dataset_is_refused(tmp_path):
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(AtlasError, match="no dataset as plan_activations writes it"):
        datasets.read(tmp_path / "dataset.json")


def test_a_model_that_there_is_not_is_told_with_the_nearest():
    assert "did you mean faces?" in told(model="facess")


def test_one_of_model_and_models_is_needed():
    assert "expected one of model and models" in told()
    assert "expected one of model and models" in told(model="faces", models=["faces"])


def test_two_models_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder / "net").mkdir(parents=True)
    text = told(models=[str(tmp_path / "a/net"), str(tmp_path / "b/net")])
    assert "is called net in results" in text


def test_files_and_folders_that_there_are_not_are_told_together(tmp_path):
    (tmp_path / "empty").mkdir()
    text = told(
        model="faces",
        prompts="promts.txt",
        configuration="no/folder",
        real={"folder": str(tmp_path / "empty")},
    )
    assert text.startswith("the configuration (config/config.yaml, --config) is not usable: 3")
    assert "holds no images" in text
    assert "there is no folder no" in text


def test_settings_that_exclude_each_other_are_refused():
    assert "store: mean keeps no maps" in told(model="faces", embed="maps")
    assert "nothing reads the maps" in told(model="faces", store="both", keep_raw=False)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"samples": 0}, "a whole number from 1"),
        ({"sampels": 5}, "did you mean samples?"),
        ({"store": "men"}, "did you mean mean?"),
        ({"umap": {"min_dist": 2}}, "a number from 0 to 1"),
    ],
)
def test_the_schema_tells_what_is_legal(said, problem):
    config = yaml.safe_load((CONFIG / "config.yaml").read_text())
    config["activations"] = {"one": {"model": "faces"} | said}
    with pytest.raises(AtlasError, match=problem.replace("?", r"\?")):
        settings.check(config)
    config["activations"] = {"one/two": {"model": "faces"}}
    with pytest.raises(AtlasError, match="letters, digits"):
        settings.check(config)
