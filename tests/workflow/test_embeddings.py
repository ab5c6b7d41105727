"""Text encoders by the real workflow: which jobs run, what is encoded, who is left out."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import narrow_encoders
from workflow_runs import Atlas, Run

pytestmark = pytest.mark.slow  # all together

LIST = "sentence: a photo of one {}\nwords: {animals: [cat, dog], colours: [red, blue, old]}\n"


class Encoders:
    """A working directory with models that have text encoders, and a list of words."""

    def __init__(self, folder: Path) -> None:
        self.atlas = Atlas(folder)
        self.results = folder / "results" / "embeddings"
        self.group = self.results / "groups" / "all" / "words"
        base = narrow_encoders.clip(folder / "models" / "base")
        narrow_encoders.clip(folder / "models" / "tuned", seed=1)
        shutil.copytree(folder / "models" / "base", folder / "models" / "copy")
        narrow_encoders.single_file(folder / "models" / "single.safetensors", base)
        for name in ("base", "tuned", "copy"):
            self.add(name)
        (folder / "words.yaml").write_text(LIST)

    def add(self, name: str, path: str | None = None) -> None:
        """Append a model to the roster and the group."""
        self.atlas.models[name] = {"path": path or f"models/{name}"}
        models = list(self.atlas.models)
        self.atlas.groups["all"] = {"models": models, "base": "base"}

    def run(self, *targets: str, **settings: Any) -> Run:
        """Ask for targets, with the list of words."""
        tokenizers = {"clip": "models/base/tokenizer"}
        told = {"lists": ["words.yaml"], "tokenizers": tokenizers} | settings
        return self.atlas.run(*(targets or ("embeddings",)), embeddings=told)

    def tally(self) -> dict[str, Any]:
        """Return what the last job encoded."""
        place = self.atlas.folder / "logs" / "encode_words" / "words" / "0.json"
        return json.loads(place.read_text())

    def table(self, name: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file of the group."""
        with (self.group / name).open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder after a first run, and the run."""
    encoders = Encoders(tmp_path_factory.mktemp("embeddings"))
    return encoders, encoders.run()


@pytest.fixture
def copied(made, tmp_path):
    """Return a copy of the folder, to change."""
    encoders = Encoders(tmp_path / "again")
    shutil.rmtree(tmp_path / "again")
    shutil.copytree(made[0].atlas.folder, tmp_path / "again", symlinks=True)
    return encoders


def test_equal_encoders_are_encoded_once(made):
    encoders, run = made
    assert run.success, run.output
    assert encoders.tally() | {"problems": {}} == {
        "encoded": 2, "kept": 0, "absent": 0, "problems": {},
    }  # fmt: skip
    assert "copy as base, bit for bit" in run.output
    assert "tuned moved words by" in run.output
    drift = encoders.table("drift.csv")
    assert {row["model"] for row in drift} == {"copy", "tuned"}
    assert {float(row["cosine_distance"]) for row in drift if row["model"] == "copy"} == {0.0}
    assert min(float(row["cosine_distance"]) for row in drift if row["model"] == "tuned") > 0


def test_the_tables_are_those_of_transformers_called_directly(made):
    import torch
    from transformers import CLIPTextModel, CLIPTokenizer

    folder = made[0].atlas.folder / "models" / "tuned"
    network = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    rows = [
        row
        for row in made[0].table("tables/tuned.csv")
        if (row["component"], row["form"]) == ("text_encoder", "pooled")
    ]
    texts = [row["text"] for row in rows if row["measure"] == "cosine"]
    with torch.no_grad():
        told = tokenizer(texts, padding="max_length", return_tensors="pt").input_ids
        pooled = network(told).pooler_output.double().numpy()
    units = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    apart = units[:, None] - units[None]
    expected = {
        "cosine": units @ units.T,
        "euclidean": np.linalg.norm(apart, axis=2),
        "manhattan": np.abs(apart).sum(axis=2),
    }
    for measure, square in expected.items():
        found = [[float(row[text]) for text in texts] for row in rows if row["measure"] == measure]
        np.testing.assert_allclose(found, square, atol=6e-5)


def test_what_is_promised_is_there(made):
    encoders, _ = made
    pictures = {path.name for path in (encoders.group / "pictures").iterdir()}
    assert {"pca.text_encoder.pooled.png", "drift.text_encoder.last.svg"} <= pictures
    assert (encoders.group / "viewer.html").stat().st_size > 10_000
    points = encoders.table("pca.csv")
    assert {row["alignment"] for row in points} == {"raw", "aligned"}
    assert {row["model"] for row in points} == {"base", "tuned", "copy"}
    lies = {
        name: [(row["x"], row["y"]) for row in points if row["model"] == name]
        for name in ("base", "copy")
    }
    assert lies["base"] == lies["copy"]
    with (encoders.results / "encoders.csv").open(newline="") as file:
        ids = {row["model"]: row["encoder"] for row in csv.DictReader(file)}
    assert ids["base"] == ids["copy"] != ids["tuned"]


def test_nothing_runs_again_and_a_new_model_alone_is_encoded(copied):
    again = copied.run()
    assert set(again.jobs) <= {"embeddings"}, again.output
    copied.add("single", "models/single.safetensors")
    narrow_encoders.clip(copied.atlas.folder / "models" / "new", seed=2)
    copied.add("new")
    run = copied.run(configurations=["base"])
    assert run.success, run.output
    tally = copied.tally()
    assert (tally["encoded"], tally["kept"]) == (1, 2)
    assert "copy; single as base, bit for bit" in run.output


def test_one_broken_model_keeps_no_other_back(copied):
    import torch

    network = narrow_encoders.clip(copied.atlas.folder / "models" / "broken", seed=3)
    with torch.no_grad():
        next(each for name, each in network.named_parameters() if "q_proj" in name)[0] = torch.nan
    network.save_pretrained(copied.atlas.folder / "models" / "broken" / "text_encoder")
    copied.add("broken")
    copied.add("single", "models/single.safetensors")
    run = copied.run()
    assert run.success, run.output
    assert "broken (text encoder) is left out: the text_encoder of broken gives NaN" in run.output
    assert "single (text encoder) is left out: " in run.output
    assert "embeddings › configurations" in run.output
    assert {row["model"] for row in copied.table("summary.csv")} == {"base", "tuned", "copy"}


def test_a_group_without_text_encoders_says_so(copied):
    import factory

    for seed in (0, 1):
        named = {key: each for key, each in factory.weights(seed).items() if key.startswith("vae")}
        factory.diffusers_folder(copied.atlas.folder / "models" / f"vae{seed}", named)
        copied.atlas.models[f"vae{seed}"] = {"path": f"models/vae{seed}"}
    copied.atlas.groups["vaes"] = {"models": ["vae0", "vae1"]}
    run = copied.run(groups=["vaes"])
    assert run.success, run.output
    assert "vaes · words: no model of the group has a text encoder that can be run" in run.output
    assert "vaes · words: vae0: has no text encoder: it has vae" in run.output
    assert copied.tally()["absent"] == 2  # what other groups need stays


def test_unknown_names_stop_before_any_job(copied):
    run = copied.run(groups=["al"], lists=["every"])
    assert not run.success
    assert "did you mean all?" in run.output
    assert "did you mean everyday?" in run.output
